package probe

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/atr"
	"github.com/jitsuin/jitsuin/card/reader"
)

// Report is what was seen. Status words are four hex digits, "-" where the card did not answer.
type Report struct {
	Version int    `json:"version"` // of this form, 1
	ATR     string `json:"atr"`     // hex; of a contactless card it is the reader's, and may hold a random part
	// ATRName is its name in the list of known ones, "" for another.
	ATRName      string        `json:"atr_name,omitempty"`
	Token        *Token        `json:"token,omitempty"`
	Applications []Application `json:"applications"`
	Commands     []Command     `json:"commands"`
	Certificates []Certificate `json:"certificates,omitempty"`
}

// Token is what the JPKI application calls itself; its serial number is left out.
type Token struct {
	Label string `json:"label"`
	Model string `json:"model"`
	Kind  string `json:"kind"`
	Size  int    `json:"size"` // of EF 0006
}

// Application is one that was asked for.
type Application struct {
	AID   string `json:"aid"`
	Name  string `json:"name"`
	SW    string `json:"sw"`
	Files []File `json:"files,omitempty"` // those that can be selected
}

// File is one that can be selected.
type File struct {
	ID   string `json:"id"`
	Read string `json:"read"` // status word of reading one byte
	Size int    `json:"size,omitempty"`
	// AtEnd is the status word of reading at the very end.
	AtEnd string `json:"at_end,omitempty"`
	// Tries is the status word of asking for the tries left, of a PIN.
	Tries string `json:"tries,omitempty"`
}

// Command is a harmless one and what the card said to it; of its data only the length is told.
type Command struct {
	What    string `json:"what"`
	Command string `json:"command"`
	SW      string `json:"sw"`
	Size    int    `json:"size,omitempty"`
}

// application is one to ask for, with its PINs.
type application struct {
	aid, name string
	pins      []uint16
}

var applications = []application{
	{card.AIDJPKI, "公的個人認証AP (JPKI)", []uint16{card.FileAuthPIN, card.FileSignPIN}},
	{card.AIDText, "券面事項入力補助AP (text)", []uint16{card.FileTextPIN, 0x0012, card.FileTextA, card.FileTextB}},
	{card.AIDVisual, "券面事項確認AP (visual)", []uint16{card.FileVisualBirth, card.FileVisualA, card.FileVisualB}},
	{card.AIDResident, "住基AP (resident register)", []uint16{card.FilePIN}},
	{card.AIDCommon, "共通カードAP (common)", []uint16{card.FilePIN}},
}

// lastFile bounds the files that are looked for: a short identifier has five bits.
const lastFile = 0x1F

// Card looks at a card. It resets the card first. The error is for a card that does not answer any
// more; what is unusual about its answers stands in the report.
func Card(ctx context.Context, c reader.Card) (*Report, error) {
	p := prober{ctx: ctx, card: guarded{c}, report: &Report{Version: 1}}
	return p.report, p.all()
}

type prober struct {
	ctx    context.Context
	card   reader.Card
	report *Report
}

// send gives the data and the status word.
func (p *prober) send(c card.Command) ([]byte, card.SW, error) {
	return p.sendBytes(c.Bytes())
}

func (p *prober) sendBytes(apdu []byte) ([]byte, card.SW, error) {
	response, err := p.card.Transmit(p.ctx, apdu)
	if err != nil {
		return nil, 0, err
	}
	data, sw, ok := card.SplitResponse(response)
	if !ok {
		return nil, 0, fmt.Errorf("the card gave no status word to %X", apdu[:min(len(apdu), 4)])
	}
	return data, sw, nil
}

func (p *prober) all() error {
	if err := p.card.Reset(p.ctx); err != nil {
		return err
	}
	b, err := p.card.ATR(p.ctx)
	if err != nil {
		return err
	}
	p.report.ATR = fmt.Sprintf("%X", b)
	if known, ok := atr.Find(b); ok {
		p.report.ATRName = known.Name
	}
	if err := p.commands(); err != nil {
		return err
	}
	for _, a := range applications {
		if err := p.application(a); err != nil {
			return err
		}
	}
	return nil
}

// commands sends what is asked before anything is selected.
func (p *prober) commands() error {
	ask := []struct {
		what string
		card.Command
	}{
		{"SELECT without a name", card.Command{INS: 0xA4}},
		{"SELECT MF", card.Command{INS: 0xA4, P2: 0x0C, Data: []byte{0x3F, 0x00}}},
		{"SELECT a foreign application", card.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: []byte("\xA0\x00\x00\x03\x08\x00\x00\x10\x00")}},
		{"SELECT by the beginning of a name", card.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: []byte(card.AIDJPKI[:5])}},
		{"on logical channel 1", card.Command{CLA: 0x01, INS: 0xA4}},
		{"GET CHALLENGE of 8", card.Command{INS: 0x84, Le: 8}},
		{"READ BINARY with nothing selected", card.Command{INS: 0xB0, Le: 1}},
	}
	for _, tag := range []uint16{card.ObjectIssuer, card.ObjectCard, card.ObjectRecognition, card.ObjectMunicipality, card.ObjectExpiry, card.ObjectUnknown,
		card.ObjectCVCContents, card.ObjectCVC, card.ObjectATR, 0xDF30} {
		for _, extended := range []bool{false, true} {
			le := map[bool]int{false: 256, true: 65536}[extended]
			ask = append(ask, struct {
				what string
				card.Command
			}{"GET DATA", card.Command{INS: 0xCA, P1: byte(tag >> 8), P2: byte(tag), Le: le, Extended: extended}})
		}
	}
	for _, a := range ask {
		if err := p.card.Reset(p.ctx); err != nil {
			return err
		}
		data, sw, err := p.send(a.Command)
		if err != nil {
			return err
		}
		p.report.Commands = append(p.report.Commands, Command{a.what, fmt.Sprintf("%X", a.Command.Bytes()), sw.String(), len(data)})
	}
	return nil
}

func (p *prober) application(a application) error {
	_, sw, err := p.send(card.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: []byte(a.aid)})
	if err != nil {
		return err
	}
	seen := Application{AID: fmt.Sprintf("%X", a.aid), Name: a.name, SW: sw.String()}
	if sw == card.SWOK {
		for id := uint16(1); id <= lastFile; id++ {
			f, ok, err := p.file(a, id)
			if err != nil {
				return err
			}
			if ok {
				seen.Files = append(seen.Files, f)
			}
		}
		if a.aid == card.AIDCommon {
			if err := p.record(); err != nil {
				return err
			}
		}
	}
	p.report.Applications = append(p.report.Applications, seen)
	return nil
}

func selectFile(id uint16) card.Command {
	return card.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: binary.BigEndian.AppendUint16(nil, id)}
}

// file looks at one file.
func (p *prober) file(a application, id uint16) (f File, ok bool, err error) {
	_, sw, err := p.send(selectFile(id))
	if err != nil || sw != card.SWOK {
		return f, false, err
	}
	f = File{ID: fmt.Sprintf("%04X", id)}
	for _, pin := range a.pins {
		if pin != id {
			continue
		}
		_, sw, err := p.send(card.Command{INS: 0x20, P2: 0x80})
		if err != nil {
			return f, false, err
		}
		f.Tries = sw.String()
	}
	_, sw, err = p.send(card.Command{INS: 0xB0, Le: 1})
	if err != nil {
		return f, false, err
	}
	f.Read = sw.String()
	if sw != card.SWOK {
		return f, true, nil
	}
	content, end, err := p.whole()
	if err != nil {
		return f, false, err
	}
	f.Size, f.AtEnd = len(content), end.String()
	if a.aid == card.AIDJPKI {
		p.jpkiFile(id, content)
	}
	return f, true, nil
}

// whole reads the current file to its end, and what the card says there.
func (p *prober) whole() (content []byte, end card.SW, err error) {
	for {
		at := len(content)
		if at > 0x7FFF {
			return content, 0, nil
		}
		piece, sw, err := p.send(card.Command{INS: 0xB0, P1: byte(at >> 8), P2: byte(at), Le: 256})
		if err != nil || sw != card.SWOK || len(piece) == 0 {
			return content, sw, err
		}
		content = append(content, piece...)
	}
}

// record asks for the common application's record by its short identifier, as a client does.
func (p *prober) record() error {
	c := card.Command{INS: 0xB2, P1: 1, P2: 0x0C, Le: 256}
	data, sw, err := p.send(c)
	if err != nil {
		return err
	}
	p.report.Commands = append(p.report.Commands, Command{"READ RECORD in the common application", fmt.Sprintf("%X", c.Bytes()), sw.String(), len(data)})
	return nil
}

// jpkiFile takes what may be told from a file of the JPKI application.
func (p *prober) jpkiFile(id uint16, content []byte) {
	switch id {
	case card.FileTokenInfo:
		text := func(from, to int) string {
			return printable(string(content[min(from, len(content)):min(to, len(content))]))
		}
		p.report.Token = &Token{Label: text(0, 32), Model: text(64, 80), Kind: string(reader.TokenKindOf(text(0, 32))), Size: len(content)}
	case card.FileAuthCert, card.FileAuthCA, card.FileSignCA, card.FileSignCert:
		p.report.Certificates = append(p.report.Certificates, certificate(fmt.Sprintf("%04X", id), content, id == card.FileAuthCA || id == card.FileSignCA))
	}
}

// printable keeps what a card says from steering a terminal.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s))
}
