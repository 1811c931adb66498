package country

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/municipality/terminal"
)

// The PINs of all sample residents. They are no secret: the people are invented.
const (
	SignPassword jitsuin.PIN = "SAMPLE1" // 署名用パスワード
	AuthPIN      jitsuin.PIN = "1234"    // 利用者証明用の暗証番号
)

// SamplePIN is what sample residents type when they set their PINs.
func SamplePIN(kind jitsuin.CertKind) (jitsuin.PIN, error) {
	if kind == jitsuin.SignCert {
		return SignPassword, nil
	}
	return AuthPIN, nil
}

// CardHost gives the way to the chips for whoever holds a handle.
func (f Folder) CardHost() (host.Cards, error) { return f.cardHostFor("holder") }

// cardHostFor says to the card host who it is that asks.
func (f Folder) cardHostFor(as string) (host.Cards, error) {
	d, err := f.Directory()
	if err != nil {
		return nil, err
	}
	i, err := d.Lookup(Cards)
	if err != nil {
		return nil, err
	}
	return host.Client(i.Origin, host.ClientOptions{Headers: httpapi.ActHeaders(as)})
}

// Terminal gives the terminal of a municipality's counter. Its chip key is made and certified by
// J-LIS the first time, and kept.
func (f Folder) Terminal(ctx context.Context, code jitsuin.MunicipalityCode, clerk string) (*terminal.Terminal, error) {
	remote, err := f.Remote(Counter(code), Town(code))
	if err != nil {
		return nil, err
	}
	cards, err := f.cardHostFor(Counter(code))
	if err != nil {
		return nil, err
	}
	t := &terminal.Terminal{Town: api.Client{Remote: remote}, Cards: cards, Clerk: clerk}
	t.Identity, err = terminal.Identity(ctx, t.Town, f.KeyPath("terminal:"+string(code)), f.terminalCertificate(code))
	return t, err
}

func (f Folder) terminalCertificate(code jitsuin.MunicipalityCode) string {
	return f.Path("secrets", "terminal-"+string(code)+".certificate")
}

// CardSocket is where the holder's programs reach a card.
func (f Folder) CardSocket(card jitsuin.ID) string { return f.Path("cards", string(card)+".sock") }
