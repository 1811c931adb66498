package cert_test

import (
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	ct "github.com/jitsuin/jitsuin/cert/chaintest"
)

// randomChains is how many hierarchies are drawn; JITSUIN_CHAINS asks for more, each with a number of its own.
const randomChains = 60

// draw makes choices.
type draw struct{ *rand.Rand }

func (d draw) chance(percent int) bool { return d.IntN(100) < percent }

func (d draw) some(all ...string) (out []string) {
	for _, s := range all {
		if d.chance(45) {
			out = append(out, s)
		}
	}
	return out
}

func one[T any](d draw, all ...T) T { return all[d.IntN(len(all))] }

// TestRandomHierarchiesAndOpenSSL draws hierarchies from everything that the named cases have one at a time. What openssl
// refuses is never accepted.
func TestRandomHierarchiesAndOpenSSL(t *testing.T) {
	n := randomChains
	if more, err := strconv.Atoi(os.Getenv("JITSUIN_CHAINS")); err == nil {
		n = more
	}
	held := 0
	for i := range n {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			d := draw{rand.New(rand.NewPCG(uint64(i), 5280))}
			q := d.question(ct.New(t))
			path, err := q.ours(t)
			if err == nil {
				held++
			} else if testing.Verbose() {
				t.Log(err)
				return
			} else {
				return
			}
			if said, ok := q.openssl(t); !ok {
				t.Errorf("we found a path of %d, openssl none: %s", len(path.Chain), said)
			}
		})
	}
	t.Logf("%d of %d hold", held, n)
	if held < n/10 || held > n*9/10 {
		t.Errorf("%d of %d hold: the draw says too little", held, n)
	}
}

func (d draw) question(w *ct.World) question {
	var o []ct.Option
	if d.chance(10) {
		o = append(o, d.fence())
	}
	root := w.Root("Root", o...)
	issuers, n := []*ct.Node{root}, root
	for i := range d.IntN(3) + 1 {
		options := d.authority()
		if i > 0 && d.chance(20) {
			options = append(options, ct.NamedLike(n))
		}
		n = n.CA(string(rune('A'+i)), options...)
		issuers = append(issuers, n)
	}
	q := question{at: ct.Now, anchors: nodes(root), between: issuers[1:], leaf: n.Leaf("Leaf", d.subject()...)}
	if d.chance(30) { // another anchor of the name, and a certificate that leads nowhere
		q.anchors = append(q.anchors, w.Root("Root"))
		q.between = append(q.between, w.Root("A"))
	}
	q.policies = cert.PolicyInputs{Initial: ids(d.some(p1, p2)...), RequireExplicit: d.chance(30), InhibitMapping: d.chance(15), InhibitAny: d.chance(15)}
	if d.chance(60) {
		q.lists = [][]byte{}
		for i, issuer := range issuers {
			below := q.leaf
			if i+1 < len(issuers) {
				below = issuers[i+1]
			}
			q.lists = append(q.lists, d.listsOf(issuer, below)...)
		}
	}
	return q
}

func (d draw) authority() (o []ct.Option) {
	if d.chance(80) {
		o = append(o, ct.Policies(append(d.some(p1, p2, ct.AnyPolicy), p3)...))
	}
	if d.chance(20) {
		o = append(o, ct.Mappings(one(d, p1, p2), one(d, p2, p3)))
	}
	switch {
	case d.chance(15):
		o = append(o, ct.RequireExplicit(byte(d.IntN(3))))
	case d.chance(10):
		o = append(o, ct.InhibitMapping(byte(d.IntN(2))))
	}
	if d.chance(12) {
		o = append(o, ct.InhibitAny(byte(d.IntN(2))))
	}
	if d.chance(20) {
		length := d.IntN(3)
		o = append(o, ct.Field(func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = length, length == 0 }))
	}
	if d.chance(25) {
		o = append(o, d.fence())
	}
	if d.chance(4) {
		o = append(o, ct.Field(func(c *x509.Certificate) { c.NotAfter = ct.Now.Add(-time.Hour) }))
	}
	if d.chance(3) {
		o = append(o, usage(x509.KeyUsageCRLSign))
	}
	return o
}

// fence draws name constraints that most names keep.
func (d draw) fence() ct.Option {
	permitted := names(ct.DNS("test.example"))
	if d.chance(40) {
		permitted = append(permitted, ct.Directory("Test", ""))
	}
	if d.chance(40) {
		permitted = append(permitted, ct.MailName(one(d, "test.example", ".test.example", "a@test.example")))
	}
	if d.chance(30) {
		permitted = append(permitted, ct.URI(one(d, "test.example", ".test.example")))
	}
	if d.chance(30) {
		permitted = append(permitted, ct.IP(10, 0, 0, 0, 255, byte(one(d, 0, 255)), 0, 0))
	}
	var excluded []ct.Name
	if d.chance(30) {
		excluded = names(one(d, ct.DNS("b.test.example"), ct.MailName("b@test.example"), ct.Directory("Test", "A"), ct.IP(10, 1, 0, 0, 255, 255, 0, 0)))
	}
	return ct.Constraints(permitted, excluded)
}

func (d draw) subject() (o []ct.Option) {
	var all []ct.Name
	for _, n := range []ct.Name{ct.DNS(one(d, "a.test.example", "b.test.example", "*.test.example", "c.other.example")),
		ct.MailName(one(d, "a@test.example", "b@test.example", "a@x.test.example")), ct.URI(one(d, "https://test.example/", "https://x.test.example/")),
		ct.IP(10, byte(one(d, 0, 1)), 0, 1), ct.Directory(one(d, "Test", "Other"), "B")} {
		if d.chance(30) {
			all = append(all, n)
		}
	}
	if all != nil {
		o = append(o, ct.SAN(all...))
	}
	if d.chance(85) {
		o = append(o, ct.Policies(append(d.some(p1, p2, ct.AnyPolicy), p3)...))
	}
	if d.chance(3) {
		o = append(o, ct.Extension("1.2.3.4", true, []byte{5, 0}))
	}
	if d.chance(50) {
		o = append(o, ct.Extension("2.5.29.46", false, []byte("\x30\x0d\x30\x0b\xa0\x09\xa0\x07\x86\x05urn:x")))
	}
	return o
}

func (d draw) listsOf(issuer, below *ct.Node) (lists [][]byte) {
	var o []ct.ListOption
	switch {
	case d.chance(4):
		return nil
	case d.chance(6):
		o = append(o, ct.Revoke(below, one(d, keyCompromise, hold)))
	case d.chance(4):
		o = append(o, lasting(-2*time.Hour, -time.Hour))
	}
	scope := d.IntN(10)
	scopes := map[int]ct.ListOption{0: ct.Scope(ct.Point{}, ct.UsersOnly), 1: ct.Scope(ct.Point{}, ct.CAsOnly), 2: ct.Scope(ct.Point{}, ct.Indirect),
		3: ct.Scope(ct.Point{Reasons: someReasons})}
	if s, ok := scopes[scope]; ok {
		o = append(o, s)
	}
	lists = append(lists, issuer.CRL(append(o, ct.Number(5))...))
	if scope == 3 && d.chance(80) {
		lists = append(lists, issuer.CRL(ct.Scope(ct.Point{Reasons: otherReasons})))
	}
	if d.chance(25) {
		delta := []ct.ListOption{ct.Delta(byte(one(d, 3, 5, 6))), ct.Number(int64(one(d, 4, 6, 7)))}
		if s, ok := scopes[scope]; ok && d.chance(80) {
			delta = append(delta, s)
		}
		if d.chance(40) {
			delta = append(delta, ct.Revoke(below, one(d, keyCompromise, hold, remove)))
		}
		lists = append(lists, issuer.CRL(delta...))
	}
	return lists
}
