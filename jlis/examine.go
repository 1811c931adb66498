package jlis

import (
	"crypto"
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/rules"
)

// refusal is why nothing is issued. Code is one of those below.
type refusal struct {
	code, reason string
	fields       []string
}

// Codes of refusals.
const (
	refusedForm      = "application-form"     // the application contradicts itself
	refusedResident  = "not-resident"         // nobody of that identity is present in the municipality
	refusedItems     = "four-items-differ"    // with the items that differ
	refusedEntitled  = "not-entitled"         // by age, or as an adult ward
	refusedInForce   = "certificate-in-force" // 二重発行の禁止
	refusedKey       = "key-refused"          // weak, or certified before
	refusedCard      = "card-unknown"         // not a card of this person's, or not valid any more
	refusedPlace     = "municipality-unknown" // without a name for certificates
	refusedTerm      = "no-term"              // no validity is left, the card or the other certificate ends first
	refusedMissing   = "certificate-missing"  // the card has none of the kind
	refusedSuspended = "card-suspended"       // the card's certificates are suspended, so nothing is rested on them
	refusedDefective = "certificate-lint"     // the certificate would break its profile
)

// question is all that the answer to an application depends on, read in one transaction.
type question struct {
	app     api.Application
	today   jitsuin.Date
	applied jitsuin.Date
	known   bool
	person  person
	place   bool                        // the municipality has a name for certificates
	inForce map[jitsuin.CertKind]record // the person's certificates
	card    card                        // the one named, for a re-issue
	// keys are nil before a new card's chip has made them.
	keys     map[jitsuin.CertKind]subjectKey
	keysUsed map[jitsuin.CertKind]bool // certified before
	held     bool                      // one of inForce is suspended; looked at for a telephone
}

// subjectKey is a key to be certified, or why it is not.
type subjectKey struct {
	public crypto.PublicKey
	hash   [32]byte
	wrong  error
}

// readKeys reads SubjectPublicKeyInfos and judges the keys themselves.
func readKeys(spki map[jitsuin.CertKind][]byte) map[jitsuin.CertKind]subjectKey {
	keys := map[jitsuin.CertKind]subjectKey{}
	for kind, der := range spki {
		public, err := cert.ParseSubjectKey(der)
		keys[kind] = subjectKey{public, sha256.Sum256(der), err}
	}
	return keys
}

// terms are the validity of what is issued.
type terms struct {
	cardUntil jitsuin.Date
	certs     map[jitsuin.CertKind]rules.Term
}

// examine decides on an application: how long what is issued will be valid, or why it is refused.
func (q question) examine() (terms, *refusal) {
	if q.app.Type == api.Phone {
		if r := q.keysGood(); r != nil {
			return terms{}, r
		}
		return q.phone()
	}
	for _, check := range []func() *refusal{q.form, q.resident, q.entitled, q.doubled, q.keysGood} {
		if r := check(); r != nil {
			return terms{}, r
		}
	}
	return q.terms()
}

func refuse(code, reason string) *refusal { return &refusal{code: code, reason: reason} }

func (q question) form() *refusal {
	kinds := slices.Sorted(slices.Values(q.app.Kinds))
	switch {
	case len(kinds) == 0 || len(slices.Compact(kinds)) != len(q.app.Kinds):
		return refuse(refusedForm, "an application asks for one or two kinds of certificate, each once")
	case slices.ContainsFunc(kinds, func(k jitsuin.CertKind) bool { return !k.Valid() }):
		return refuse(refusedForm, "an application asks for a kind of certificate that does not exist")
	case q.app.Type != api.NewCard && q.app.Type != api.Reissue:
		return refuse(refusedForm, "an application is for a new card or for a re-issue")
	case q.app.Type == api.NewCard && (q.app.Card != "" || len(q.app.PublicKeys) > 0):
		return refuse(refusedForm, "the keys of a new card are made in production")
	case !q.place:
		return refuse(refusedPlace, "certificates have no name for the municipality")
	}
	return nil
}

func (q question) resident() *refusal {
	p := q.person
	switch {
	case !q.known:
		return refuse(refusedResident, "nobody of that identity is recorded")
	case p.State != jitsuin.Present:
		return refuse(refusedResident, "the person is not present on a register: "+string(p.State))
	case p.Municipality != q.app.Municipality:
		return refuse(refusedResident, "the person is on the register of another municipality")
	}
	if differ := p.Items.Differences(q.app.Items); len(differ) > 0 {
		return &refusal{refusedItems, "the application differs from the register in " + strings.Join(differ, ", "), differ}
	}
	return nil
}

func (q question) entitled() *refusal {
	for _, kind := range q.app.Kinds {
		if err := rules.MayHold(kind, rules.Holder{Birth: q.person.Items.BirthDate, AdultWard: q.app.Holder.AdultWard}, q.today); err != nil {
			return refuse(refusedEntitled, err.Error())
		}
	}
	return nil
}

// doubled is 二重発行の禁止: nobody has two certificates of a kind. A re-issue supersedes.
func (q question) doubled() *refusal {
	if q.app.Type == api.Reissue {
		return q.cardHeld()
	}
	for _, kind := range q.app.Kinds {
		if _, has := q.inForce[kind]; has {
			return refuse(refusedInForce, "the person has a certificate of the kind "+string(kind)+" in force")
		}
	}
	return nil
}

func (q question) cardHeld() *refusal {
	switch c := q.card; {
	case c.ID == "" || c.Subject != q.app.Subject || c.State != cardReceived:
		return refuse(refusedCard, "the card is not one that this person was given")
	case c.ValidUntil.Before(q.today):
		return refuse(refusedCard, "the card's validity is over")
	}
	return nil
}

func (q question) keysGood() *refusal {
	if q.keys == nil && q.app.Type == api.NewCard {
		return nil // not made yet
	}
	if len(q.keys) != len(q.app.Kinds) {
		return refuse(refusedKey, "there must be one key for each kind of certificate")
	}
	seen := map[[32]byte]bool{}
	for _, kind := range q.app.Kinds {
		k, ok := q.keys[kind]
		switch {
		case !ok:
			return refuse(refusedKey, "there must be one key for each kind of certificate")
		case k.wrong != nil:
			return refuse(refusedKey, k.wrong.Error())
		case q.keysUsed[kind] || seen[k.hash]:
			return refuse(refusedKey, "this key has been certified before")
		}
		seen[k.hash] = true
	}
	return nil
}

// terms computes validities, the authentication certificate's first: a signature certificate ends
// no later than it.
func (q question) terms() (terms, *refusal) {
	t := terms{certs: map[jitsuin.CertKind]rules.Term{}}
	if q.app.Type == api.NewCard {
		issue := rules.CardIssue{Birth: q.person.Items.BirthDate, Applied: minDate(q.applied, q.today), Issued: q.today,
			Stay: q.app.Holder.Stay, StayUntil: q.app.Holder.StayUntil}
		card, err := rules.CardTerm(issue)
		if err != nil {
			return t, refuse(refusedTerm, err.Error())
		}
		t.cardUntil = card.Until
	} else {
		t.cardUntil = q.card.ValidUntil
	}
	var authUntil jitsuin.Date
	if auth, has := q.inForce[jitsuin.AuthCert]; has {
		authUntil = auth.lastDay()
	}
	for _, kind := range []jitsuin.CertKind{jitsuin.AuthCert, jitsuin.SignCert} {
		if !slices.Contains(q.app.Kinds, kind) {
			continue
		}
		in := rules.CertificateIssue{Kind: kind, Birth: q.person.Items.BirthDate, Issued: q.today, CardUntil: t.cardUntil}
		if old, has := q.inForce[kind]; has {
			in.Replaces = old.lastDay()
		}
		if kind == jitsuin.SignCert {
			in.AuthUntil = authUntil
		}
		term, err := rules.CertificateTerm(in)
		if err != nil {
			return t, refuse(refusedTerm, err.Error())
		}
		t.certs[kind] = term
		if kind == jitsuin.AuthCert {
			authUntil = term.Until
		}
	}
	return t, nil
}

func minDate(a, b jitsuin.Date) jitsuin.Date {
	if b.Before(a) {
		return b
	}
	return a
}
