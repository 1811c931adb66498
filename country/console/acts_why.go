package console

import (
	"github.com/jitsuin/jitsuin"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// hinders tells why an act cannot be done for a person now: a word for console.why.WORD, or "" where it can be
// tried. It only looks at the person's state; what the law or an actor refuses, they say themselves.
func (d *desk) hinders(k actKind, p *person, past []*actFile) string {
	for _, a := range past {
		if a.Running() {
			return "act-running"
		}
	}
	if p.State == jitsuin.Dead && k != actBegin {
		return "person-dead"
	}
	switch k {
	case actApply:
		return d.hindersApply(p)
	case actHandover:
		open := p.openCase()
		switch {
		case open == nil || open.Type != town.NewCard:
			return "no-case"
		case open.State == town.Received || open.State == town.InquirySent:
			return "case-unchecked"
		}
		return whereabouts(p)
	case actSign:
		return hindersKey(p, jitsuin.SignCert)
	case actLogin, actAgain:
		return hindersKey(p, jitsuin.AuthCert)
	case actReissue:
		return d.hindersReissue(p)
	case actMove, actCorrect:
		return whereabouts(p)
	case actDie:
		if p.State == jitsuin.Deleted {
			return "not-resident"
		}
	}
	return ""
}

// whereabouts tells why somebody is not to be acted for at a counter of this country.
func whereabouts(p *person) string {
	switch p.State {
	case jitsuin.Present:
		return ""
	case jitsuin.Moving:
		return "person-moving"
	case jitsuin.Abroad:
		return "person-abroad"
	}
	return "not-resident"
}

func (d *desk) hindersApply(p *person) string {
	switch {
	case whereabouts(p) != "":
		return whereabouts(p)
	case p.openCase() != nil:
		return "case-open"
	case p.cardID() != "":
		return "card-held"
	}
	return ""
}

func (d *desk) hindersReissue(p *person) string {
	switch {
	case whereabouts(p) != "":
		return whereabouts(p)
	case p.openCase() != nil:
		return "case-open"
	case p.Card == nil:
		return "no-card"
	case p.Card.Err != nil:
		return "card-away"
	case len(d.renewable(p)) == 0:
		return "certificates-alive"
	}
	return ""
}

// hindersKey tells why a key of the card cannot be used. Whether its certificate is still alive is for the
// verifier to find out.
func hindersKey(p *person, kind jitsuin.CertKind) string {
	switch {
	case p.Card == nil:
		return "no-card"
	case p.Card.Err != nil:
		return "card-away"
	case !p.Card.Has[kind]:
		return "no-certificate-" + string(kind)
	case p.Card.Tries[kind] == 0:
		return "pin-blocked"
	}
	return ""
}
