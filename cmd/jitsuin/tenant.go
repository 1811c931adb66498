package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/client"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/platform/api"
)

type tenantCmd struct {
	New tenantNewCmd `cmd:"" help:"Make a key, and a tenant with it in a platform's sandbox."`
}

type tenantNewCmd struct {
	URL    string   `name:"url" help:"Origin of the platform." default:"http://127.0.84.40:8400" placeholder:"URL"`
	Name   string   `help:"What the tenant is called." required:"" placeholder:"NAME"`
	Origin []string `help:"A web origin of yours, for logins and requests to the holder. May be repeated." placeholder:"ORIGIN"`
	Out    string   `help:"Folder for the key and the settings." default:"tenant" type:"path" placeholder:"FOLDER"`
}

func (tenantNewCmd) Help() string {
	return `The folder gets key.pem, the private key, which never leaves it and is never overwritten, and tenant.json, which package client opens.

Example:  jitsuin tenant new --name "My shop" --out my-shop`
}

func (c *tenantNewCmd) Run(ctx context.Context, face *ui.Face) error {
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return err
	}
	key, settings := filepath.Join(c.Out, "key.pem"), filepath.Join(c.Out, "tenant.json")
	if _, err := os.Lstat(settings); !errors.Is(err, os.ErrNotExist) {
		return jitsuin.Errorf(jitsuin.Conflict, "tenant-file", "%s is there already", settings).WithHint("choose another folder with --out")
	}
	public, err := newKeyFile(key)
	if err != nil {
		return err
	}
	made, err := c.make(ctx, public)
	if err != nil {
		return errors.Join(err, os.Remove(key)) // it belongs to no tenant
	}
	text, err := json.MarshalIndent(client.Settings{Origin: made.Origin, Platform: made.Platform, Tenant: made.Tenant.ID, Key: "key.pem"}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(settings, append(text, '\n'), 0o600); err != nil {
		return err
	}
	_, err = fmt.Fprintf(face.Out, "%s\n\nsettings  %s (client.Open)\nkey       %s\ntokens    %s\nAPI       %s/docs\n", made.Tenant.ID, settings, key, made.Token, made.Origin)
	return err
}

// newKeyFile draws a key into a file that was not there, and gives its public half.
func newKeyFile(path string) (public []byte, err error) {
	key, err := actor.NewKey()
	if err != nil {
		return nil, err
	}
	text, err := actor.EncodeKey(key)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, jitsuin.Errorf(jitsuin.Conflict, "tenant-file", "%s is there already, and is not overwritten", path).WithHint("choose another folder with --out")
	}
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return x509.MarshalPKIXPublicKey(&key.PublicKey)
}

// make asks the platform for the tenant.
func (c *tenantNewCmd) make(ctx context.Context, public []byte) (made api.SandboxTenant, err error) {
	body, err := json.Marshal(api.SandboxRequest{Name: c.Name, Origins: c.Origin, KeyRequest: api.KeyRequest{PublicKey: public}})
	if err != nil {
		return made, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(c.URL, "/")+"/v1/sandbox/tenants", bytes.NewReader(body))
	if err != nil {
		return made, jitsuin.Errorf(jitsuin.Invalid, "tenant-url", "the platform's address: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(httpapi.HeaderIdempotencyKey, string(jitsuin.NewID()))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return made, jitsuin.Errorf(jitsuin.Unavailable, "tenant-platform", "the platform does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		return made, httpapi.DecodeProblem(resp)
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&made)
	return made, err
}
