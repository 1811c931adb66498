package country

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
)

// issuedCert is a row of J-LIS's record of issuance with its revocation.
type issuedCert struct {
	kind, serial, profile, madeFor, state, subject, digest string
	notAfter                                               int64
	der                                                    []byte
	counter, revokedAt                                     *int64
	reason                                                 *string
	heldAt                                                 *int64 // while it is suspended
	holds                                                  int    // how often it was suspended or released
}

func (c issuedCert) id() string    { return c.kind + " " + c.serial }
func (c issuedCert) onPhone() bool { return c.profile == "phone-sign" || c.profile == "phone-auth" }
func (c issuedCert) ofResident() bool {
	return c.profile == "sign" || c.profile == "auth" || c.onPhone()
}
func (c issuedCert) isIssued() bool     { return c.state == "issued" }
func (c issuedCert) isRevoked() bool    { return c.revokedAt != nil }
func (c issuedCert) visible() bool      { return c.isIssued() && c.ofResident() }
func (c issuedCert) reasonOf() string   { return *c.reason }
func (c issuedCert) revoked() time.Time { return store.Time(*c.revokedAt) }

func (a *audit) readCertificates() (all []issuedCert) {
	a.each(JLIS, func(scan func(...any)) {
		var c issuedCert
		scan(&c.kind, &c.serial, &c.profile, &c.madeFor, &c.state, &c.subject, &c.digest, &c.notAfter, &c.der, &c.counter, &c.revokedAt, &c.reason, &c.heldAt, &c.holds)
		all = append(all, c)
	}, `SELECT c.kind, c.serial, profile, made_for, state, subject, lower(hex(digest)), not_after, der, counter, r.effective_at, r.reason,
		(SELECT held_at FROM suspension s WHERE s.kind = c.kind AND s.serial = c.serial AND released_at = 0),
		(SELECT COUNT(*) + COALESCE(SUM(CASE WHEN released_at > 0 AND released_by <> 'revoked' THEN 1 ELSE 0 END), 0) FROM suspension s WHERE s.kind = c.kind AND s.serial = c.serial)
		FROM certificate c LEFT JOIN revocation r ON r.kind = c.kind AND r.serial = c.serial ORDER BY c.kind, c.serial`)
	return all
}

// certificates: no serial number and no key twice, none left in between, nobody has two of a kind.
func (a *audit) certificates() []issuedCert {
	all := a.readCertificates()
	heads, count := a.pairs(JLIS, `SELECT kind || '.' || epoch, CAST(next AS TEXT) FROM serial_head`), map[string]int{}
	serials, keys, force := map[string]string{}, map[string]string{}, map[string]issuedCert{}
	for _, c := range all {
		count[c.kind+"."+a.epochOf(c)]++
		if c.state == "intended" {
			a.wrong("certificate %s is neither issued nor abandoned", c.id())
		}
		if c.isIssued() != (len(c.der) > 0) || c.isRevoked() && !c.isIssued() {
			a.wrong("certificate %s is %s with %d bytes, revoked %v", c.id(), c.state, len(c.der), c.isRevoked())
		}
		if !c.isIssued() {
			continue
		}
		x, err := cert.Parse(c.der)
		if err != nil {
			a.wrong("certificate %s: %v", c.id(), err)
			continue
		}
		n, _ := cert.SerialOf(x.SerialNumber)
		if n.String() != c.serial {
			a.wrong("certificate %s has the serial number %s in it", c.id(), n)
		}
		for what, seen := range map[string]map[string]string{c.kind + string(x.SerialNumber.Bytes()): serials, string(x.RawSubjectPublicKeyInfo): keys} {
			if other, twice := seen[what]; twice {
				a.wrong("certificates %s and %s share a serial number or a key", other, c.id())
			}
			seen[what] = c.id()
		}
		if c.visible() && !c.isRevoked() {
			if other, twice := force[c.profile+c.subject]; twice {
				a.wrong("certificates %s and %s of %s are both in force", other.id(), c.id(), c.subject)
			}
			force[c.profile+c.subject] = c
		}
	}
	a.telephones(force)
	for head, next := range heads {
		if fmt.Sprint(count[head]) != next {
			a.wrong("%s serial numbers were given of %s, %d are recorded", next, head, count[head])
		}
	}
	return all
}

// telephones: nobody has two, and none is better off than the card that it rests on.
func (a *audit) telephones(force map[string]issuedCert) {
	phone := map[string]string{}
	for _, c := range force {
		if !c.onPhone() {
			continue
		}
		if other, twice := phone[c.subject]; twice && other != c.madeFor {
			a.wrong("%s has certificates on the telephones of the applications %s and %s", c.subject, other, c.madeFor)
		}
		phone[c.subject] = c.madeFor
		card, has := force[c.kind+c.subject]
		if !has || card.notAfter != c.notAfter || card.heldAt != nil && c.heldAt == nil {
			a.wrong("the certificate %s on a telephone is better off than the card's (there %v)", c.id(), has)
		}
	}
}

// epochOf reads the epoch out of a serial number, with J-LIS's own key.
func (a *audit) epochOf(c issuedCert) string {
	key, err := os.ReadFile(a.f.Path("actors", fileName(JLIS), "state", "serial-"+c.kind+".key"))
	if err != nil {
		a.t.Fatal(err)
	}
	codec, err := cert.NewSerialCodec(key)
	if err != nil {
		a.t.Fatal(err)
	}
	raw, err := hex.DecodeString(c.serial)
	if err != nil {
		a.t.Fatal(err)
	}
	epoch, _, ok := codec.Decode(cert.Serial(raw))
	if !ok {
		a.wrong("certificate %s has a serial number that was never given", c.id())
	}
	return fmt.Sprint(epoch)
}

// signatures: the signer's journal and J-LIS's record account for each other.
func (a *audit) signatures(certs []issuedCert) {
	journal := map[int64]string{}
	file, err := os.Open(a.f.Path("actors", fileName(JLIS), "state", "signer", "signatures.jsonl"))
	if err != nil {
		a.t.Fatal(err)
	}
	defer file.Close()
	for in := bufio.NewScanner(file); in.Scan(); {
		var l struct {
			Counter int64  `json:"counter"`
			SHA256  string `json:"sha256"`
		}
		if strings.Contains(in.Text(), `"new-epoch"`) {
			continue
		}
		if err := json.Unmarshal(in.Bytes(), &l); err != nil || l.Counter != int64(len(journal))+1 {
			a.wrong("journal entry %d after %d: %v", l.Counter, len(journal), err)
		}
		journal[l.Counter] = l.SHA256
	}
	meant := map[string]bool{}
	a.each(JLIS, func(scan func(...any)) {
		var digest string
		scan(&digest)
		meant[digest] = true
	}, `SELECT lower(hex(digest)) FROM certificate UNION ALL SELECT lower(hex(digest)) FROM terminal UNION ALL SELECT lower(hex(digest)) FROM crl
		UNION ALL SELECT lower(hex(digest)) FROM ticket UNION ALL SELECT lower(hex(digest)) FROM face_key UNION ALL SELECT lower(hex(digest)) FROM face_signature
		UNION ALL SELECT lower(hex(digest)) FROM signature WHERE note LIKE 'no record, reconciled by %'`)
	for n, digest := range journal {
		if !meant[digest] {
			a.wrong("signature %d in the journal is of nothing that J-LIS knows of", n)
		}
	}
	a.each(JLIS, func(scan func(...any)) {
		var n int64
		var digest string
		scan(&n, &digest)
		if journal[n] != digest {
			a.wrong("J-LIS counts signature %d of %s, the journal has %q", n, digest, journal[n])
		}
	}, `SELECT counter, lower(hex(digest)) FROM signature UNION ALL SELECT counter, lower(hex(digest)) FROM crl WHERE counter IS NOT NULL
		UNION ALL SELECT counter, lower(hex(digest)) FROM terminal WHERE counter IS NOT NULL
		UNION ALL SELECT counter, lower(hex(digest)) FROM ticket WHERE counter IS NOT NULL`)
	for _, c := range certs {
		if c.isIssued() && (c.counter == nil || journal[*c.counter] != c.digest) {
			a.wrong("the issued certificate %s has no entry in the journal", c.id())
		}
	}
}

// statuses: one event says that a certificate was issued, one at most that it was revoked, and the
// status origin says the same.
func (a *audit) statuses(certs []issuedCert, view StatusView) {
	said := map[string][]jlis.StatusEvent{}
	for _, e := range a.events(JLIS, jlis.TopicStatus) {
		s := decode[jlis.StatusEvent](a, e)
		said[string(s.Kind)+" "+s.Serial] = append(said[string(s.Kind)+" "+s.Serial], s)
	}
	told := map[string]int{}
	for _, t := range a.towns() {
		for _, e := range a.events(JLIS, jlis.TopicToTown(codeOf(t))) {
			if e.kind == jlis.TypeRevoked {
				told[strings.ReplaceAll(e.subject, ":", " ")]++
			}
		}
	}
	dead := map[jitsuin.CertKind]int{}
	lost := a.pairs(JLIS, `SELECT kind || ' ' || serial, authority FROM lost_certificate`)
	for _, c := range certs {
		if _, given := lost[c.id()]; given && c.state == "abandoned" { // it was about to be signed when the backup was taken: see below
			if told[c.id()] != 0 {
				a.wrong("the end of the lost certificate %s was told to a municipality", c.id())
			}
			continue
		}
		got := said[c.id()]
		delete(said, c.id())
		want := 0
		if c.visible() {
			want = 1
		}
		want += c.holds
		if c.isRevoked() {
			want++
		}
		if c.isRevoked() || c.heldAt != nil {
			dead[jitsuin.CertKind(c.kind)]++
		}
		switch {
		case len(got) != want:
			a.wrong("certificate %s (%s %s) has %d status events, not %d", c.id(), c.profile, c.state, len(got), want)
			continue
		case want > 0 && got[0].State != jlis.StateGood:
			a.wrong("the first that was said of certificate %s is %s", c.id(), got[0].State)
		case c.isRevoked() && (got[want-1].State != jlis.StateRevoked || !got[want-1].RevokedAt.Equal(c.revoked()) || string(got[want-1].Reason) != c.reasonOf()):
			a.wrong("certificate %s was revoked at %v for %s, and the status event says %+v", c.id(), c.revoked(), c.reasonOf(), got[want-1])
		case want > 0 && !c.isRevoked() && (got[want-1].State == jlis.StateHeld) != (c.heldAt != nil):
			a.wrong("certificate %s is suspended: %v; the last status event says %s", c.id(), c.heldAt != nil, got[want-1].State)
		}
		if c.visible() {
			a.compareStatus(c, view)
		}
		if (c.isRevoked() && !c.onPhone()) != (told[c.id()] == 1) || told[c.id()] > 1 {
			a.wrong("the revocation of %s (%v) was told %d times to a municipality", c.id(), c.isRevoked(), told[c.id()])
		}
	}
	for id := range lost {
		if got := said[id]; len(got) != 1 || got[0].State != jlis.StateRevoked {
			a.wrong("of the lost certificate %s was said %+v", id, got)
		}
		kind, _, _ := strings.Cut(id, " ")
		dead[jitsuin.CertKind(kind)]++
		delete(said, id)
	}
	for id := range said {
		a.wrong("a status event speaks of %s, which was never recorded", id)
	}
	for kind, n := range dead {
		if got := view.lists[kind].Count; got != n {
			a.wrong("the revocation list %s has %d entries, the record %d", kind, got, n)
		}
	}
}

func (a *audit) compareStatus(c issuedCert, view StatusView) {
	want, reason, at := "good", "", time.Time{}
	switch {
	case c.isRevoked():
		reason, at = c.reasonOf(), c.revoked()
	case c.heldAt != nil:
		reason, at = string(jitsuin.ReasonCertificateHold), store.Time(*c.heldAt)
	}
	if reason != "" {
		want = "revoked " + reason + at.Truncate(time.Second).Format(time.RFC3339)
	}
	if got := view.ocsp[c.id()]; got != want {
		a.wrong("OCSP says %q of %s, the record %q", got, c.id(), want)
	}
	x, err := cert.Parse(c.der)
	if err != nil {
		return // reported before
	}
	entry, listed := view.lists[jitsuin.CertKind(c.kind)].Lookup(x.SerialNumber)
	if listed != (reason != "") || listed && (string(entry.Reason) != reason || !entry.RevokedAt.Equal(at.Truncate(time.Second))) {
		a.wrong("the revocation list has %s: %v %v %s; the record %q", c.id(), listed, entry.RevokedAt, entry.Reason, want)
	}
}

// applications: what J-LIS was asked it was asked once; a delivered application has all its
// certificates and its municipality was told once, of any other nothing is to be seen.
func (a *audit) applications(certs []issuedCert) {
	state := a.pairs(JLIS, `SELECT id, state FROM application WHERE id NOT IN (SELECT application FROM phone)`)
	made := map[string][]issuedCert{}
	for _, c := range certs {
		if c.visible() && !c.onPhone() { // a telephone's holder applies, not a municipality
			made[c.madeFor] = append(made[c.madeFor], c)
		}
	}
	asked := 0
	for _, t := range a.towns() {
		told := map[string][]sentEvent{}
		for _, e := range a.events(JLIS, jlis.TopicToTown(codeOf(t))) {
			if e.kind != jlis.TypeRevoked {
				told[e.subject] = append(told[e.subject], e)
			}
		}
		for _, e := range a.events(t, jlis.TopicApplications) {
			asked++
			app := decode[jlis.Application](a, e)
			id := string(app.ID)
			if e.version != 1 || len(told[id]) != 1 {
				a.wrong("application %s was sent as version %d and answered %d times", id, e.version, len(told[id]))
				continue
			}
			a.answer(app, state[id], told[id][0], made[id])
			delete(made, id)
		}
	}
	if asked != len(state) {
		a.wrong("%d applications were sent, J-LIS has %d", asked, len(state))
	}
	for id, of := range made {
		a.wrong("certificate %s was made for %q, which nobody applied for", of[0].id(), id)
	}
}

func (a *audit) answer(app jlis.Application, state string, e sentEvent, made []issuedCert) {
	switch {
	case state == "refused" && e.kind == jlis.TypeRefused:
		if len(made) > 0 {
			a.wrong("application %s was refused, and certificate %s is there", app.ID, made[0].id())
		}
	case state == "delivered" && e.kind == jlis.TypeDelivered:
		d := decode[jlis.Delivered](a, e)
		if len(d.Certificates) != len(app.Kinds) || len(made) != len(app.Kinds) {
			a.wrong("application %s asked for %v; %d certificates were made, %d delivered", app.ID, app.Kinds, len(made), len(d.Certificates))
		}
		for _, c := range d.Certificates {
			if !slices.ContainsFunc(made, func(m issuedCert) bool { return m.kind == string(c.Kind) && bytes.Equal(m.der, c.Certificate) }) {
				a.wrong("application %s was delivered a %s certificate that is not the recorded one", app.ID, c.Kind)
			}
		}
	default:
		a.wrong("application %s is %q at J-LIS and the municipality was told %q", app.ID, state, e.kind)
	}
}
