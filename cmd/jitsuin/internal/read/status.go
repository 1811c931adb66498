package read

import (
	"encoding/hex"
	"math/big"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
)

// maxShown is how many entries of a list are shown; the number of all is.
const maxShown = 20

func (d *Document) crl(der []byte) error {
	l, err := cert.ParseCRL(der)
	if err != nil {
		return err
	}
	d.add("issuer", cert.NameText(l.RawIssuer))
	d.add("this_update", l.ThisUpdate)
	d.add("next_update", l.NextUpdate)
	if l.Number != nil {
		d.add("number", hexOf(l.Number))
	}
	if base := l.Base(); base != nil {
		d.add("delta_to", hexOf(base))
	}
	d.add("scope", l.Scope())
	d.add("signature_algorithm", l.Algorithm.String())
	d.add("authority_key_id", hex.EncodeToString(l.AuthorityKeyID))
	d.add("entries", l.Count)
	var shown []string
	for e := range l.Entries() {
		if len(shown) == maxShown {
			break
		}
		shown = append(shown, hexOf(new(big.Int).SetBytes(e.Serial))+" "+stamp(e.RevokedAt)+" "+string(e.Reason))
	}
	d.add("first_entries", shown)
	d.add("departs_from_profile", l.Breach())
	return nil
}

func (d *Document) ocsp(der []byte) error {
	r, err := cert.ParseOCSPResponse(der)
	if jitsuin.KindOf(err) == jitsuin.Unavailable { // well formed, and says that there is no answer
		d.add("response_status", jitsuin.CodeOf(err))
		return nil
	}
	if err != nil {
		return err
	}
	d.add("response_status", "ocsp-successful")
	d.add("produced_at", r.ProducedAt)
	d.add("signature_algorithm", r.Algorithm.String())
	d.add("certificates", len(r.Certificates))
	d.add("nonce", hex.EncodeToString(r.Nonce))
	var answers []string
	for _, s := range r.Singles {
		text := hexOf(s.ID.Serial) + " " + string(s.State) + " from " + stamp(s.ThisUpdate)
		if !s.NextUpdate.IsZero() {
			text += " to " + stamp(s.NextUpdate)
		}
		if s.State == cert.Revoked {
			text += ", revoked " + stamp(s.RevokedAt) + " " + string(s.Reason)
		}
		answers = append(answers, text)
	}
	d.add("answers", answers)
	return nil
}
