package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder/site"
)

type holderLocalCmd struct {
	data
	Listen       string   `help:"IP:PORT on loopback, where pages of sites lead to." default:"${local}" placeholder:"IP:PORT"`
	Card         []string `help:"A card besides those in readers: the folder of a chip, a socket or an ID; may be repeated." placeholder:"FOLDER|ID" sep:"none"`
	Directory    string   `help:"The signed list of the platforms whose requests are opened. The default is that of the country." placeholder:"FILE" type:"path"`
	DirectoryKey string   `name:"directory-key" help:"The public key to which that list is pinned. The default is that of the country." placeholder:"FILE" type:"path"`
	FaceAnchor   string   `name:"face-anchor" help:"The root of card-face signatures, for logins that ask for name or address. The default is that of the country." placeholder:"FILE" type:"path"`
	State        string   `help:"Folder for what was answered. The default is in your own configuration folder." placeholder:"FOLDER" type:"path"`
}

func (holderLocalCmd) Help() string {
	return `The holder of this computer: it answers requests of sites with your own card, in a reader (through pcscd) or in a folder, and its face is a
page in your browser. Only programs of this computer reach it, only requests signed by a platform of the list are opened, and an answer
goes nowhere but to the site that the request names. docs/holder.md tells more.

Example:  jitsuin holder --data ./jitsuin-data`
}

func (c *holderLocalCmd) Run(ctx context.Context, face *ui.Face) error {
	f := country.Folder(c.Data)
	l := site.Local{Listen: c.Listen, Cards: f.Path("cards"), Offered: c.Card, Log: face.Log, Directory: c.Directory, DirectoryKey: c.DirectoryKey, FaceAnchor: c.FaceAnchor, State: c.State}
	for _, one := range []struct {
		path *string
		name string
	}{{&l.Directory, "directory.jws"}, {&l.DirectoryKey, "operator.pub.pem"}, {&l.FaceAnchor, "anchors/face.pub"}} {
		if *one.path == "" {
			*one.path = f.Path(one.name)
		}
	}
	if l.State == "" {
		own, err := os.UserConfigDir()
		if err != nil {
			return jitsuin.Errorf(jitsuin.Invalid, "state", "there is no folder of your own: %w", err).WithHint("name one with --state")
		}
		l.State = filepath.Join(own, "jitsuin", "holder")
	}
	s, err := site.NewLocal(ctx, l)
	if err != nil {
		return err
	}
	go func() {
		select {
		case <-ctx.Done():
		case <-s.Started():
			fmt.Fprintf(face.Err, "jitsuin: the holder of this computer is ready: http://%s/\n", c.Listen)
		}
	}()
	return s.Run(ctx)
}
