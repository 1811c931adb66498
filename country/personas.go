package country

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/holder/site"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	town "github.com/jitsuin/jitsuin/municipality/api"
	platform "github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/status"
)

// Personas: the residents who hold a card from the beginning have names for automated tests, and the platform is told from what
// the ids of their users are made. Both follow from the seed, so that a test written once finds the same people and the same
// subjects in every country.

// personasName is the file in the data folder that the holder reads.
const personasName = "personas.json"

// personas gives those who hold a card from the beginning, in the order of the sample.
func personas(facts Facts, today jitsuin.Date) (all []site.Persona, of map[string]people.Resident) {
	of = map[string]people.Resident{}
	first := map[jitsuin.ID]bool{}
	sample := facts.Sample()
	for _, queue := range firstResidents(sample, today) {
		for _, r := range queue {
			first[r.ID] = true
		}
	}
	for _, r := range sample.Residents {
		if !first[r.ID] {
			continue
		}
		id := string(r.Persona)
		if id == "" {
			id = fmt.Sprintf("resident-%d", len(all)+1)
		}
		all, of[id] = append(all, site.Persona{ID: id, Name: r.Items.Name}), r
	}
	return all, of
}

// secretOf is what the ids of a persona's users are made from.
func secretOf(seed uint64, id string) string {
	key := binary.BigEndian.AppendUint64([]byte("jitsuin personas v1"), seed)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id))
	return hex.EncodeToString(mac.Sum(nil))[:32]
}

// writePersonas tells platform and holder who the named people are; done before, it does nothing.
func (f Folder) writePersonas(ctx context.Context, facts Facts) error {
	if _, err := os.Stat(f.Path(personasName)); err == nil {
		return nil
	}
	all, _ := personas(facts, jitsuin.DateOf(facts.Civil))
	cards, err := f.labelled()
	if err != nil {
		return err
	}
	var told platform.SandboxPersonas
	for _, p := range all {
		card, ok := cards[p.Name]
		if !ok { // such as somebody who died in the sandbox
			continue
		}
		serial, err := f.authSerial(ctx, card)
		if err != nil {
			return fmt.Errorf("the card of %s: %w", p.ID, err)
		}
		told.Personas = append(told.Personas, platform.SandboxPersona{Secret: secretOf(facts.Seed, p.ID), Certificates: []platform.PersonaCertificate{{Kind: jitsuin.AuthCert, Serial: serial}}})
	}
	r, err := f.Remote(Operator, Platform)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := httpapi.Do[platform.PersonasKnown](ctx, r, http.MethodPut, "/v1/sandbox/personas", "", told); err != nil {
		return fmt.Errorf("tell the platform who the named people are: %w", err)
	}
	return f.putPersonas(site.Personas{SignPassword: SignPassword.Reveal(), PIN: AuthPIN.Reveal(), Personas: all})
}

func (f Folder) putPersonas(p site.Personas) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return replace(f.Path(personasName), append(text, '\n'), 0o600)
}

// labelled gives the cards in the holder's hands by their labels.
func (f Folder) labelled() (map[string]jitsuin.ID, error) {
	cards := holder.CardsIn(string(f))
	held, err := cards.Held()
	if err != nil {
		return nil, err
	}
	all := map[string]jitsuin.ID{}
	for _, id := range held {
		label, err := cards.Label(id)
		if err != nil {
			return nil, err
		}
		all[label] = id
	}
	return all, nil
}

func (f Folder) authCertificate(ctx context.Context, id jitsuin.ID) (*x509.Certificate, error) {
	card, err := holder.CardsIn(string(f)).Open(ctx, string(id))
	if err != nil {
		return nil, err
	}
	defer card.Close()
	return card.Certificate(ctx, jitsuin.AuthCert, nil)
}

func (f Folder) authSerial(ctx context.Context, id jitsuin.ID) (string, error) {
	leaf, err := f.authCertificate(ctx, id)
	if err != nil {
		return "", err
	}
	serial, ok := cert.SerialOf(leaf.SerialNumber)
	if !ok {
		return "", jitsuin.Errorf(jitsuin.Invalid, "certificate-serial", "the certificate's serial number is none of ours")
	}
	return serial.String(), nil
}

// Personas reads who the named people of a country are.
func (f Folder) Personas() (site.Personas, error) { return site.ReadPersonas(f.Path(personasName)) }

// EndPersona has a persona's certificates revoked for good, by the strongest way that there is: the town records a death. It returns once the
// status origin says so; a login with the card is refused from then on. Repeated, it changes nothing. Unavailable "persona-not-told" where
// verifiers are not told in time: the end is recorded all the same.
func (f Folder) EndPersona(ctx context.Context, name string) error {
	facts, err := f.Facts()
	if err != nil {
		return err
	}
	known, err := f.Personas()
	if err != nil {
		return err
	}
	who, err := known.Find(name)
	if err != nil {
		return err
	}
	if !who.Ended {
		if err := f.recordDeath(ctx, facts, who); err != nil {
			return err
		}
		known.Personas[slices.Index(known.Personas, who)].Ended = true
		if err := f.putPersonas(known); err != nil {
			return err
		}
	}
	return f.untilRevoked(ctx, who)
}

func (f Folder) recordDeath(ctx context.Context, facts Facts, who site.Persona) error {
	_, residents := personas(facts, jitsuin.DateOf(facts.Civil))
	r, ok := residents[who.ID]
	if !ok {
		return jitsuin.Errorf(jitsuin.NotFound, "persona-unknown", "%s is none of the first residents", who.ID)
	}
	now, err := CivilNow(ctx, f)
	if err != nil {
		return err
	}
	remote, err := f.Remote(Counter(r.Municipality), Town(r.Municipality))
	if err != nil {
		return err
	}
	defer remote.Close()
	_, err = town.Client{Remote: remote}.Record(ctx, town.ChangeRequest{Subject: r.ID, Cause: jitsuin.CauseDeath, OccurredOn: jitsuin.DateOf(now.Now), Clerk: sampleClerk}, "persona-ended-"+string(r.ID))
	return err
}

// toldWithin is how long EndPersona waits until verifiers are told, wall time.
const toldWithin = 30 * time.Second

// untilRevoked waits until a verifier is told that the certificate with which a persona logs in is revoked. Who has no card any more has none.
func (f Folder) untilRevoked(ctx context.Context, who site.Persona) error {
	cards, err := f.labelled()
	if err != nil {
		return err
	}
	id, ok := cards[who.Name]
	if !ok {
		return nil
	}
	leaf, err := f.authCertificate(ctx, id)
	if err != nil {
		return err
	}
	der, err := os.ReadFile(f.Path("anchors", string(jitsuin.AuthCert)+".cer"))
	if err != nil {
		return err
	}
	issuer, err := cert.Parse(der)
	if err != nil {
		return err
	}
	remote, err := f.Remote(Verifier, Status)
	if err != nil {
		return err
	}
	defer remote.Close()
	origin := status.OCSPClient{URL: "http://callee/ocsp", HTTPClient: remote.HTTPClient(), Random: rand.Reader}
	for deadline := time.Now().Add(toldWithin); ; {
		now, err := CivilNow(ctx, f)
		if err != nil {
			return err
		}
		st, err := origin.Status(ctx, leaf, issuer, now.Now)
		if err != nil || st.State == cert.Revoked {
			return err
		}
		if time.Now().After(deadline) {
			return jitsuin.Errorf(jitsuin.Unavailable, "persona-not-told", "the town has recorded the death, and verifiers are not told yet").
				WithHint("with --cadence official they are told at the next quarter hour; the same command waits again")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
