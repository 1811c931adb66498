package bench

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// peers are other programs that verify the same documents, as far as they are installed. Each document costs
// them a process, as it does a script that calls them. clean removes their files.
func (p *people) peers(ctx context.Context, documents []document) (all []work, clean func(), err error) {
	dir, err := os.MkdirTemp("", "jitsuin-bench-")
	clean = func() { os.RemoveAll(dir) }
	if err != nil {
		return nil, clean, err
	}
	defer func() {
		if err != nil {
			clean()
		}
	}()
	put := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if e := os.WriteFile(path, b, 0o600); e != nil {
			err = e
		}
		return path
	}
	authority := put("authority.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.authority.Raw}))
	for i, d := range documents {
		signed, content := put(fmt.Sprintf("signed-%d", i), d.signed), ""
		if d.content != nil {
			content = put(fmt.Sprintf("content-%d", i), d.content)
		}
		for _, c := range commands(d, signed, content, authority) {
			path, missing := exec.LookPath(c[0])
			if missing != nil {
				continue
			}
			all = append(all, work{name: c[0] + " " + d.name + ", a process each", external: true, run: func() error {
				out, err := exec.CommandContext(ctx, path, c[1:]...).CombinedOutput()
				if err != nil {
					return fmt.Errorf("%w: %s", err, out)
				}
				return nil
			}})
		}
	}
	return all, clean, err
}

// commands are how others verify a document. purpose any: JPKI certificates say nothing of e-mail.
func commands(d document, signed, content, authority string) [][]string {
	switch {
	case d.content != nil:
		return [][]string{{"openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signed, "-content", content, "-CAfile", authority, "-purpose", "any", "-out", os.DevNull}}
	case bytes.HasPrefix(d.signed, []byte("%PDF")):
		return [][]string{{"pdfsig", "-nocert", signed}}
	}
	return [][]string{{"xmlsec1", "--verify", "--trusted-pem", authority, signed}}
}
