package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/fault"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/holder"
)

type cardFaultCmd struct {
	data
	Card        string        `arg:"" help:"The card: its ID or the beginning of it."`
	Fault       fault.Name    `arg:"" optional:"" help:"What goes wrong; none ends it. Without it the command says what is set." placeholder:"FAULT"`
	Delay       time.Duration `help:"How much longer a slow card takes for each command; at most 5s." placeholder:"300ms"`
	Certificate []string      `help:"A certificate that is over, in DER or PEM, for expired-certificate; may be given for both kinds." placeholder:"FILE" type:"existingfile"`
}

// faultsInWords say what each fault does, and when it ends.
var faultsInWords = map[fault.Name]string{
	fault.None:               "nothing goes wrong on purpose",
	fault.WrongPIN:           "the next PIN is wrong, whatever is typed; the counter drops. Once",
	fault.SignPINBlocked:     "all tries of the signature password are used up; the municipality's counter sets it anew",
	fault.AuthPINBlocked:     "all tries of the PIN for authentication are used up; the municipality's counter sets it anew",
	fault.Removed:            "the card is taken away while it signs next. Once",
	fault.TamperedFile:       "one bit of certificates, My Number, the four items and the face is read otherwise than it was written",
	fault.WrongDigest:        "the digests in the authenticity file of the text application fit nothing",
	fault.ExpiredCertificate: "the certificates are over",
	fault.Slow:               "each command takes longer",
	fault.Clone:              "the card is a copy that has all files and none of the keys",
}

func (cardFaultCmd) Help() string {
	text := "For testers: what do clients, services and verifiers do then? The fault lies on the way to the chip, and ends with the country at the latest. The faults:\n"
	for _, n := range fault.Names {
		text += fmt.Sprintf("\n  %-20s %s", n, faultsInWords[n])
	}
	return text + "\n\nExample:  jitsuin card fault 3f2a removed\n          jitsuin card fault 3f2a slow --delay 1s\n          jitsuin card fault 3f2a none"
}

func (c *cardFaultCmd) Run(ctx context.Context, face *ui.Face) error {
	id, err := holder.CardsIn(c.Data).Find(ctx, c.Card)
	if err != nil {
		return err
	}
	folder := country.Folder(c.Data)
	faults, err := folder.Faults(host.ClientOptions{})
	if err != nil {
		return err
	}
	set, err := c.apply(ctx, faults, id)
	if jitsuin.CodeOf(err) == "host-unreachable" {
		return jitsuin.Errorf(jitsuin.Unavailable, "country-stopped", "the cards of %s are not served now", c.Data).
			WithHint("start the country in another terminal: jitsuin up --data %s", c.Data)
	}
	if err != nil {
		return err
	}
	if c.Fault == fault.SignPINBlocked || c.Fault == fault.AuthPINBlocked {
		set = fault.Setting{Name: c.Fault}
	}
	return sayFault(face, set)
}

// apply sets the fault, or asks for the one that is set.
func (c *cardFaultCmd) apply(ctx context.Context, faults *host.Faults, id jitsuin.ID) (fault.Setting, error) {
	if c.Fault == "" {
		return faults.Of(ctx, id)
	}
	certificates, err := c.certificates()
	if err != nil {
		return fault.Setting{}, err
	}
	return faults.Set(ctx, id, fault.Setting{Name: c.Fault, Delay: c.Delay, Certificates: certificates})
}

// certificates reads those that the card shall answer with.
func (c *cardFaultCmd) certificates() (map[jitsuin.CertKind][]byte, error) {
	if c.Fault == fault.ExpiredCertificate && len(c.Certificate) == 0 {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "card-fault", "name the certificate with --certificate").
			WithHint("in a country an expired certificate is had by moving the clock: jitsuin clock --advance; J-LIS certifies no key twice")
	}
	all := map[jitsuin.CertKind][]byte{}
	for _, path := range c.Certificate {
		der, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if block, _ := pem.Decode(der); block != nil {
			der = block.Bytes
		}
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, jitsuin.Errorf(jitsuin.Invalid, "certificate-form", "%s is no certificate: %w", path, err)
		}
		kind := jitsuin.AuthCert
		if parsed.KeyUsage&x509.KeyUsageContentCommitment != 0 { // nonRepudiation stands in certificates for signatures alone
			kind = jitsuin.SignCert
		}
		all[kind] = der
	}
	return all, nil
}

func sayFault(face *ui.Face, s fault.Setting) error {
	line := fmt.Sprintf("%s: %s", s.Name, faultsInWords[s.Name])
	if s.Delay > 0 {
		line += fmt.Sprintf(" (%v)", s.Delay)
	}
	_, err := fmt.Fprintln(face.Out, line)
	return err
}
