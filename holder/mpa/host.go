package mpa

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/card/verified"
)

// Modes.
const (
	modeAuth  = "01"
	modeSign  = "02"
	modeItems = "04"
	modeClose = "05"
)

// maxDigests is how many digests one message of mode 02 may bring.
const maxDigests = 32

// Host answers one browser.
type Host struct {
	// Open gives a channel to the card; each message opens and closes it.
	Open func(ctx context.Context) (reader.Channel, error)
	// Anchor is the root of card-face signatures against which mode 04 checks what it reads.
	Anchor func() (contents.Anchor, error)
	// Legacy allows mode 01, which signs with the authentication key what a page chose.
	Legacy bool
	// UUID names this host in answers of mode 01.
	UUID string
}

// request is a message of the extension. The PIN is taken out before anything else is done.
type request struct {
	Mode      string          `json:"mode"`
	ServiceID string          `json:"service_id"`
	Digest    json.RawMessage `json:"digest"` // base64 of a DigestInfo; of mode 02 an array
	PIN       string          `json:"pin"`
}

// Answer is a message to the extension; Result is "0", or "1" with Message.
type Answer struct {
	Mode            string `json:"mode,omitempty"`
	Result          string `json:"result"`
	Message         string `json:"message,omitempty"`
	UUID            string `json:"uuid,omitempty"`
	Signature       any    `json:"signature,omitempty"` // base64; of mode 02 an array
	Certificate     []byte `json:"certificate,omitempty"`
	CombinationCode string `json:"combination_code,omitempty"` // hex
	Name            string `json:"name,omitempty"`             // hex of UTF-8, as the other items
	Sex             string `json:"sex,omitempty"`
	Address         string `json:"address,omitempty"`
	Birthday        string `json:"birthday,omitempty"`
}

// Serve answers messages until the browser closes the pipe or says mode 05: nil. What is wrong with a message's content is an
// answer with result 1; a frame that cannot be read ends the host, because nobody knows where the next one begins.
func (h *Host) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	for ctx.Err() == nil {
		frame, err := ReadFrame(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer, over := h.answer(ctx, frame)
		text, err := json.Marshal(answer)
		if err == nil {
			err = WriteFrame(out, text)
		}
		if err != nil || over {
			return err
		}
	}
	return ctx.Err()
}

// answer overwrites the message, which has a PIN in it, as soon as it was read.
func (h *Host) answer(ctx context.Context, frame []byte) (a Answer, over bool) {
	var q request
	err := json.Unmarshal(frame, &q)
	clear(frame)
	if err != nil {
		return failed("", jitsuin.Errorf(jitsuin.Invalid, "mpa-message", "the message is no JSON of this protocol")), false
	}
	switch q.Mode {
	case modeAuth:
		a, err = h.auth(ctx, q)
	case modeSign:
		a, err = h.sign(ctx, q)
	case modeItems:
		a, err = h.items(ctx, q)
	case modeClose:
	default:
		err = jitsuin.Errorf(jitsuin.Unsupported, "mpa-mode", "modes are 01, 02, 04 and 05")
	}
	if err != nil {
		return failed(q.Mode, err), false
	}
	a.Mode, a.Result = q.Mode, "0"
	return a, q.Mode == modeClose
}

// failed says what is wrong by our error's code and words, which have no secrets in them.
func failed(mode string, err error) Answer {
	words := "it did not work"
	if e, ok := errors.AsType[*jitsuin.Error](err); ok {
		words = e.Code + ": " + e.Message
	}
	return Answer{Mode: mode, Result: "1", Message: words}
}

// digestInfoSHA256 comes before a digest in a DigestInfo (RFC 8017 §9.2 note 1).
var digestInfoSHA256 = []byte{0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// digestInfo takes a DigestInfo of SHA-256 and nothing else: whoever lets a page choose the bytes signs anything.
func digestInfo(text string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != len(digestInfoSHA256)+sha256.Size || !bytes.HasPrefix(raw, digestInfoSHA256) {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "mpa-digest", "a digest is the base64 of a DigestInfo of SHA-256").At("digest")
	}
	return raw, nil
}

func (h *Host) auth(ctx context.Context, q request) (a Answer, err error) {
	if !h.Legacy {
		return a, jitsuin.Errorf(jitsuin.Denied, "mpa-legacy", "mode 01 signs what the page chose with the authentication key, and is off")
	}
	var text string
	if q.ServiceID != "01" || json.Unmarshal(q.Digest, &text) != nil {
		return a, jitsuin.Errorf(jitsuin.Invalid, "mpa-message", "mode 01 has service_id 01 and one digest")
	}
	signatures, certificate, number, err := h.use(ctx, jitsuin.AuthCert, q.PIN, []string{text})
	if err != nil {
		return a, err
	}
	code := sha256.Sum256([]byte("jitsuin-mpa" + number + h.UUID))
	return Answer{UUID: h.UUID, Signature: signatures[0], Certificate: certificate, CombinationCode: hex.EncodeToString(code[:])}, nil
}

func (h *Host) sign(ctx context.Context, q request) (a Answer, err error) {
	var texts []string
	if json.Unmarshal(q.Digest, &texts) != nil || len(texts) == 0 || len(texts) > maxDigests {
		return a, jitsuin.Errorf(jitsuin.Invalid, "mpa-message", "mode 02 has 1 to %d digests", maxDigests)
	}
	signatures, certificate, _, err := h.use(ctx, jitsuin.SignCert, q.PIN, texts)
	return Answer{Signature: signatures, Certificate: certificate}, err
}

// use verifies the PIN once and signs all digests, which are looked at before the card sees anything.
func (h *Host) use(ctx context.Context, kind jitsuin.CertKind, pin string, texts []string) (signatures [][]byte, certificate []byte, number string, err error) {
	var infos [][]byte
	for _, text := range texts {
		info, err := digestInfo(text)
		if err != nil {
			return nil, nil, "", err
		}
		infos = append(infos, info)
	}
	ch, err := h.Open(ctx)
	if err != nil {
		return nil, nil, "", err
	}
	defer ch.Close()
	if kind == jitsuin.AuthCert {
		n, err := verified.On(ch, contents.Anchor{}).CardNumber(ctx)
		if err != nil {
			return nil, nil, "", err
		}
		number = n.Serial
	}
	jpki, err := reader.SelectJPKI(ctx, ch)
	if err != nil {
		return nil, nil, "", err
	}
	normal, err := reader.NormalPIN(kind, jitsuin.PIN(pin))
	if err != nil {
		return nil, nil, "", err
	}
	signer, err := jpki.Signer(ctx, kind, normal)
	if err != nil {
		return nil, nil, "", err
	}
	for _, info := range infos {
		one, err := signer.Sign(nil, info, crypto.Hash(0))
		if err != nil {
			return nil, nil, "", err
		}
		signatures = append(signatures, one)
	}
	return signatures, signer.Certificate(), number, nil
}

func (h *Host) items(ctx context.Context, q request) (a Answer, err error) {
	anchor, err := h.Anchor()
	if err != nil {
		return a, err
	}
	ch, err := h.Open(ctx)
	if err != nil {
		return a, err
	}
	defer ch.Close()
	items, err := verified.On(ch, anchor).Items(ctx, verified.PIN(jitsuin.PIN(q.PIN)))
	if err != nil {
		return a, err
	}
	enc := func(s string) string { return hex.EncodeToString([]byte(s)) }
	birth := items.BirthDate
	return Answer{Name: enc(items.Name), Sex: enc(string(items.Sex)), Address: enc(items.Address), Birthday: enc(birth.Start().Format("20060102"))}, nil
}
