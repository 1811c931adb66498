package phone_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/phone"
	"github.com/jitsuin/jitsuin/rules"
)

var pins = map[jitsuin.CertKind]jitsuin.PIN{jitsuin.SignCert: "PHONE123", jitsuin.AuthCert: "4711"}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func made(t *testing.T, dir string, model rules.PhoneModel) *phone.Phone {
	t.Helper()
	p, err := phone.Make(t.Context(), dir, phone.Info{ID: jitsuin.NewID(), Model: model, Label: "my telephone", MadeAt: time.Now()}, pins)
	must(t, err)
	return p
}

// A telephone shows that it has its keys, takes its certificates and no others, and is then a card like any other.
func TestATelephoneIsEnrolledAndUsed(t *testing.T) {
	t.Parallel()
	for _, model := range []rules.PhoneModel{rules.Android, rules.IPhone} {
		t.Run(string(model), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := made(t, dir, model)
			keys, err := p.Keys(t.Context(), pins)
			must(t, err)
			proofs, err := p.Prove(t.Context(), pins, func(k jitsuin.CertKind) []byte { return []byte("text " + k) })
			must(t, err)
			certificates, authorities := map[jitsuin.CertKind][]byte{}, map[jitsuin.CertKind][]byte{}
			for n, kind := range jitsuin.CertKinds {
				public, err := x509.ParsePKIXPublicKey(keys[kind])
				must(t, err)
				digest := sha256.Sum256([]byte("text " + kind))
				must(t, rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), crypto.SHA256, digest[:], proofs[kind]))
				ca := certtest.NewAuthority(t, kind, cert.RSA2048SHA256, n+1)
				template := ca.Resident(t, big.NewInt(int64(n)+7))
				template.Profile, template.Key = cert.PhoneProfile(kind), public
				certificates[kind], authorities[kind] = ca.Issue(t, template).Raw, ca.Cert.Raw
			}
			if all, err := phone.All(dir); err != nil || len(all) != 0 {
				t.Errorf("before it has its certificates: %v %v", all, err)
			}
			crossed := map[jitsuin.CertKind][]byte{jitsuin.SignCert: certificates[jitsuin.AuthCert], jitsuin.AuthCert: certificates[jitsuin.SignCert]}
			if err := p.Take(t.Context(), crossed, authorities); err == nil {
				t.Error("certificates of other keys were taken in")
			}
			must(t, p.Take(t.Context(), certificates, authorities))
			all, err := phone.All(dir)
			if err != nil || len(all) != 1 || !all[0].Ready || all[0].Model != model {
				t.Fatalf("ready: %v %v", all, err)
			}
			card, err := holder.CardsAt(dir).Open(t.Context(), p.Dir())
			must(t, err)
			defer card.Close()
			u, err := card.Unlock(t.Context(), jitsuin.AuthCert, typed(pins[jitsuin.AuthCert].Reveal()))
			must(t, err)
			if !bytes.Equal(u.Certificate().Raw, certificates[jitsuin.AuthCert]) || !cert.OnPhone(u.Certificate()) {
				t.Error("it carries another certificate")
			}
		})
	}
	if _, err := phone.Find(t.TempDir(), jitsuin.NewID()); jitsuin.CodeOf(err) != "phone-missing" {
		t.Errorf("a telephone that is not there: %v", err)
	}
	if _, err := phone.Find(t.TempDir(), "../x"); jitsuin.CodeOf(err) != "phone-missing" {
		t.Errorf("a path: %v", err)
	}
}

func TestTheSensorStandsForThePIN(t *testing.T) {
	t.Parallel()
	p := made(t, t.TempDir(), rules.Android)
	if _, err := p.Touch(jitsuin.AuthCert, true); jitsuin.CodeOf(err) != "sensor-off" {
		t.Errorf("before it is in use: %v", err)
	}
	must(t, p.UseBiometrics(pins))
	for _, kind := range jitsuin.CertKinds {
		if pin, err := p.Touch(kind, true); err != nil || string(pin) != pins[kind].Reveal() {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for n := range phone.MostTouches {
		if s, err := p.Sensor(jitsuin.AuthCert); err != nil || !s.On || s.Locked || s.Left != phone.MostTouches-n {
			t.Errorf("after %d: %+v %v", n, s, err)
		}
		if _, err := p.Touch(jitsuin.AuthCert, false); jitsuin.CodeOf(err) != "sensor-unknown" {
			t.Errorf("not recognised: %v", err)
		}
	}
	if _, err := p.Touch(jitsuin.AuthCert, true); jitsuin.KindOf(err) != jitsuin.Locked {
		t.Errorf("after five failures: %v", err)
	}
	must(t, p.Known()) // the PIN was typed
	_, err := p.Touch(jitsuin.SignCert, true)
	must(t, err)
	must(t, filepath.WalkDir(p.Dir(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(pins[jitsuin.SignCert].Reveal())) {
			t.Errorf("%s shows the password", d.Name())
		}
		return err
	}))
	must(t, p.StopBiometrics())
	if s, err := p.Sensor(jitsuin.AuthCert); err != nil || s.On {
		t.Errorf("given up: %+v %v", s, err)
	}
	must(t, p.StopBiometrics())
}

// The sensor stands for the PIN that the chip has: the new one once it was changed, the old one where the chip refused, none where nobody knows.
func TestTheSensorFollowsAChangeOfThePIN(t *testing.T) {
	t.Parallel()
	p := made(t, t.TempDir(), rules.Android)
	must(t, p.Reseal(jitsuin.AuthCert, []byte("1357"), func() error { return nil }))
	if s, err := p.Sensor(jitsuin.AuthCert); err != nil || s.On {
		t.Errorf("it was never in use: %+v %v", s, err)
	}
	must(t, p.UseBiometrics(pins))
	off := func() error {
		if _, err := p.Touch(jitsuin.AuthCert, true); jitsuin.CodeOf(err) != "sensor-off" {
			t.Errorf("during the change: %v", err)
		}
		if s, err := p.Sensor(jitsuin.AuthCert); err != nil || s.On {
			t.Errorf("during the change: %+v %v", s, err)
		}
		return nil
	}
	stands := func(kind jitsuin.CertKind, want string) {
		t.Helper()
		if pin, err := p.Touch(kind, true); err != nil || string(pin) != want {
			t.Errorf("%s: %q %v, not %q", kind, pin, err, want)
		}
	}
	must(t, p.Reseal(jitsuin.AuthCert, []byte("1357"), off))
	stands(jitsuin.AuthCert, "1357")
	stands(jitsuin.SignCert, pins[jitsuin.SignCert].Reveal())
	refused := jitsuin.Errorf(jitsuin.Denied, "pin-wrong", "no")
	if err := p.Reseal(jitsuin.AuthCert, []byte("9753"), func() error { return refused }); jitsuin.CodeOf(err) != "pin-wrong" {
		t.Errorf("a refusal: %v", err)
	}
	stands(jitsuin.AuthCert, "1357")
	if err := p.Reseal(jitsuin.AuthCert, []byte("9753"), func() error { return io.ErrUnexpectedEOF }); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a chip that does not answer: %v", err)
	}
	must(t, off())
	stands(jitsuin.SignCert, pins[jitsuin.SignCert].Reveal())
}

type typed string

func (p typed) PIN(context.Context, holder.Question) ([]byte, error) { return []byte(p), nil }
func (typed) Confirms() bool                                         { return false }
