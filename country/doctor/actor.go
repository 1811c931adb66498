package doctor

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// actor looks at one actor. id is whom the file should configure, "" for anybody.
func (p *patient) actor(ctx context.Context, id, path string) {
	s, err := country.ReadSettings(path)
	if err != nil {
		p.wrong("config-broken", p.name(path), yamlError(err, path))
		return
	}
	if id != "" && s.Instance != id {
		p.wrong("config-of-another", p.name(path), s.Instance, id)
		return
	}
	id = s.Instance
	p.well("config", id, p.name(path))
	for _, secret := range s.Secrets {
		if err := readable(secret); err != nil {
			p.wrong("secret-missing", p.name(secret), id, plain(err))
		}
	}
	if s.Key != "" {
		p.identity(s)
	}
	if s.Database != "" && p.restored(s) {
		p.database(ctx, s)
	}
	if p.folder == "" && s.State != "" {
		p.space(s.State, s.State)
	}
	p.addresses(ctx, s)
}

// yamlError keeps of an error what names line and member; the excerpt of the file that the decoder adds
// is left out.
func yamlError(err error, path string) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimPrefix(first, path+": ")
}

// identity looks at key and directory: whether the directory is the operator's, and the key the one that
// it knows.
func (p *patient) identity(s country.Settings) {
	d, ok := p.directory(s.Config)
	key, err := actor.ReadKey(s.Key)
	switch {
	case errors.Is(err, os.ErrNotExist):
		p.wrong("key-missing", p.name(s.Key), s.Instance)
		return
	case err != nil:
		p.wrong("key-broken", p.name(s.Key), s.Instance, plain(err))
		return
	case !ok:
		return
	}
	entry, err := d.Lookup(s.Instance)
	if err != nil {
		p.wrong("not-in-directory", s.Instance, p.name(s.Directory))
		return
	}
	if !hasKey(entry, &key.PublicKey) {
		p.wrong("key-differs", p.name(s.Key), s.Instance)
		return
	}
	if entry.Origin != "" && !strings.HasSuffix(entry.Origin, "://"+s.Listen) {
		p.note("origin-differs", s.Instance, entry.Origin, s.Listen)
	}
	p.well("identity", s.Instance)
}

func hasKey(i httpapi.Instance, key *ecdsa.PublicKey) bool {
	for _, k := range i.Keys {
		if have, ok := k.Key.(*ecdsa.PublicKey); ok && have.Equal(key) {
			return true
		}
	}
	return false
}

// restored looks for a restore that was begun; false where it was not finished, and so nothing else fits.
func (p *patient) restored(s country.Settings) bool {
	r, err := actor.ReadRestored(s.State)
	switch {
	case err != nil:
		p.wrong("restore-mark-broken", s.Instance, plain(err))
	case r == nil || r.CaughtUp:
	case !r.Done:
		p.wrong("restore-unfinished", s.Instance)
		return false
	default:
		p.note("restore-catching-up", s.Instance)
	}
	return true
}

// directory opens the directory; what is wrong with it is said once for each file.
func (p *patient) directory(c actor.Config) (*httpapi.Directory, bool) {
	pinned, err := actor.ReadPublicKey(c.DirectoryKey)
	if err != nil {
		p.once("pin-broken", p.name(c.DirectoryKey), plain(err))
		return nil, false
	}
	d, err := httpapi.OpenDirectory(c.Directory, pinned)
	switch {
	case jitsuin.CodeOf(err) == "directory-signature" && !p.isPinned(pinned):
		p.once("pin-differs", p.name(c.DirectoryKey))
		return nil, false
	case jitsuin.CodeOf(err) == "directory-signature":
		p.once("directory-signature", p.name(c.Directory), p.name(c.DirectoryKey))
		return nil, false
	case err != nil:
		p.once("directory-broken", p.name(c.Directory), plain(err))
		return nil, false
	}
	return d, true
}

// isPinned tells whether a public key is that of the operator's private key, which a sandbox has in its
// folder; true where it is elsewhere.
func (p *patient) isPinned(pinned *ecdsa.PublicKey) bool {
	if p.folder == "" {
		return true
	}
	key, err := actor.ReadKey(p.folder.KeyPath("operator"))
	return err != nil || key.PublicKey.Equal(pinned)
}

// once is wrong, unless the same was said before.
func (p *patient) once(code, subject string, args ...any) {
	for _, f := range p.report {
		if f.Code == code && f.Subject == subject {
			return
		}
	}
	p.wrong(code, subject, args...)
}

// highWater is where an actor keeps what it gave out, outside its database.
func highWater(s country.Settings) string { return filepath.Join(s.State, actor.HighWaterFile) }
