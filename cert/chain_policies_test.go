package cert_test

import (
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	ct "github.com/jitsuin/jitsuin/cert/chaintest"
	"github.com/jitsuin/jitsuin/internal/cputime"
)

const (
	p1 = "1.3.6.1.4.1.99999.1"
	p2 = "1.3.6.1.4.1.99999.2"
	p3 = "1.3.6.1.4.1.99999.3"
)

// policed makes a case of what the CA and the leaf say and of what is asked for.
func policed(name string, holds bool, why string, in cert.PolicyInputs, ca, leaf []ct.Option) chainCase {
	return chainCase{name, holds, why, func(w *ct.World) question {
		q := line(w, nil, ca, leaf)
		q.policies = in
		return q
	}}
}

func TestPoliciesAndOpenSSL(t *testing.T) {
	explicit := cert.PolicyInputs{RequireExplicit: true}
	want := func(ps ...string) cert.PolicyInputs {
		return cert.PolicyInputs{Initial: ids(ps...), RequireExplicit: true}
	}
	pol := func(ps ...string) []ct.Option { return opts(ct.Policies(ps...)) }
	judgeChains(t, []chainCase{
		policed("nothing asked, nothing said", true, "", cert.PolicyInputs{}, nil, nil),
		policed("asked, nothing said", false, "", explicit, nil, nil),
		policed("asked, the CA alone says", false, "", explicit, pol(p1), nil),
		policed("asked, the leaf alone says", false, "", explicit, nil, pol(p1)),
		policed("asked, both say the same", true, "", explicit, pol(p1), pol(p1)),
		policed("asked, each says another", false, "", explicit, pol(p1), pol(p2)),
		policed("not asked, each says another", true, "", cert.PolicyInputs{}, pol(p1), pol(p2)),
		policed("the one that is asked for", true, "", want(p1), pol(p1), pol(p1)),
		policed("not the one that is asked for", false, "", want(p2), pol(p1), pol(p1)),
		policed("one of two", true, "", want(p2, p1), pol(p1), pol(p1)),
		policed("a policy that is not required", true, "", cert.PolicyInputs{Initial: ids(p2)}, pol(p1), pol(p1)),
		policed("any in the CA", true, "", want(p1), pol(ct.AnyPolicy), pol(p1)),
		policed("any in the leaf", true, "", want(p1), pol(p1), pol(ct.AnyPolicy)),
		policed("any in both", true, "", want(p1), pol(ct.AnyPolicy), pol(ct.AnyPolicy)),
		policed("any in the leaf, another above", false, "", want(p2), pol(p1), pol(ct.AnyPolicy)),
		policed("any inhibited from the start", false, "", cert.PolicyInputs{Initial: ids(p1), RequireExplicit: true, InhibitAny: true}, pol(ct.AnyPolicy), pol(p1)),
		policed("any inhibited by the CA at once", false, "", explicit, opts(ct.Policies(p1), ct.InhibitAny(0)), pol(ct.AnyPolicy)),
		policed("any inhibited by the CA later", true, "", explicit, opts(ct.Policies(p1), ct.InhibitAny(1)), pol(ct.AnyPolicy)),
		policed("required by the CA at once", false, "", cert.PolicyInputs{}, opts(ct.RequireExplicit(0)), nil),
		policed("required by the CA for the next but one", true, "", cert.PolicyInputs{}, opts(ct.RequireExplicit(2)), nil),
		policed("required by the CA and said", true, "", cert.PolicyInputs{}, opts(ct.Policies(p1), ct.RequireExplicit(0)), pol(p1)),
		policed("required of the leaf by the CA", false, "", cert.PolicyInputs{}, opts(ct.RequireExplicit(1)), nil),
		policed("mapped", true, "", want(p1), opts(ct.Policies(p1), ct.Mappings(p1, p2)), pol(p2)),
		policed("mapped, the old word", false, "", want(p1), opts(ct.Policies(p1), ct.Mappings(p1, p2)), pol(p1)),
		policed("mapped, the new word asked for", false, "", want(p2), opts(ct.Policies(p1), ct.Mappings(p1, p2)), pol(p2)),
		policed("mapped to two", true, "", want(p1), opts(ct.Policies(p1), ct.Mappings(p1, p2, p1, p3)), pol(p3)),
		policed("mapped from what is not said", false, "", want(p1), opts(ct.Policies(p3), ct.Mappings(p1, p2)), pol(p2)),
		policed("mapped under any", true, "", want(p1), opts(ct.Policies(ct.AnyPolicy), ct.Mappings(p1, p2)), pol(p2)),
		policed("mapped though inhibited", false, "", cert.PolicyInputs{Initial: ids(p1), RequireExplicit: true, InhibitMapping: true},
			opts(ct.Policies(p1), ct.Mappings(p1, p2)), pol(p2)),
		policed("mapped from any", false, "", cert.PolicyInputs{}, opts(ct.Policies(p1), ct.Mappings(ct.AnyPolicy, p2)), pol(p2)),
		policed("mapped to any", false, "", cert.PolicyInputs{}, opts(ct.Policies(p1), ct.Mappings(p1, ct.AnyPolicy)), pol(p2)),
		{"mapping inhibited above", false, "", func(w *ct.World) question {
			r := w.Root("Root")
			a := r.CA("A", ct.Policies(p1), ct.InhibitMapping(0))
			b := a.CA("B", ct.Policies(p1), ct.Mappings(p1, p2))
			return question{leaf: b.Leaf("Leaf", ct.Policies(p2)), anchors: nodes(r), between: nodes(a, b), policies: explicit}
		}},
		{"mapped under any to what is said too, and any below", true, "two branches expect the same policy (§6.1.4 b 1); openssl keeps one of them", func(w *ct.World) question {
			r := w.Root("Root")
			a := r.CA("A", ct.Policies(p2, ct.AnyPolicy), ct.Mappings(p1, p2))
			b := a.CA("B", ct.Policies(ct.AnyPolicy))
			return question{leaf: b.Leaf("Leaf", ct.Policies(p2)), anchors: nodes(r), between: nodes(a, b), policies: want(p1)}
		}},
		{"mapped twice", true, "", func(w *ct.World) question {
			r := w.Root("Root")
			a := r.CA("A", ct.Policies(p1), ct.Mappings(p1, p2))
			b := a.CA("B", ct.Policies(p2), ct.Mappings(p2, p3))
			return question{leaf: b.Leaf("Leaf", ct.Policies(p3)), anchors: nodes(r), between: nodes(a, b), policies: want(p1)}
		}},
		{"self-issued certificates do not use the skip up", true, "", func(w *ct.World) question {
			r := w.Root("Root")
			a := r.CA("A", ct.RequireExplicit(2))
			again := a.CA("A", ct.NamedLike(a))
			return question{leaf: again.Leaf("Leaf"), anchors: nodes(r), between: nodes(a, again)}
		}},
		{"any in a self-issued certificate though inhibited", true, "", func(w *ct.World) question {
			r := w.Root("Root")
			a := r.CA("A", ct.Policies(p1), ct.InhibitAny(0))
			again := a.CA("A", ct.NamedLike(a), ct.Policies(ct.AnyPolicy))
			return question{leaf: again.Leaf("Leaf", ct.Policies(p1)), anchors: nodes(r), between: nodes(a, again), policies: want(p1)}
		}},
		{"the anchor requires", false, "what an anchor's certificate says of policies binds here; openssl passes over it", func(w *ct.World) question {
			return line(w, opts(ct.RequireExplicit(0)), nil, nil)
		}},
		{"the anchor says another policy", false, "what an anchor's certificate says of policies binds here; openssl passes over it", func(w *ct.World) question {
			q := line(w, pol(p2), pol(p1), pol(p1))
			q.policies = explicit
			return q
		}},
	})
}

// A tree of policies doubles at each of these CAs, a graph does not.
func TestManyMappingsAreBounded(t *testing.T) {
	w := ct.New(t)
	r := w.Root("Root")
	n, o := r, cert.PathOptions{At: ct.Now, Policies: cert.PolicyInputs{RequireExplicit: true}}
	for i := range 10 {
		var pairs []string
		for _, from := range []string{p1, p2, p3} {
			for _, to := range []string{p1, p2, p3} {
				pairs = append(pairs, from, to)
			}
		}
		n = n.CA(string(rune('A'+i)), ct.Policies(p1, p2, p3), ct.Mappings(pairs...))
		o.Intermediates = append(o.Intermediates, n.Cert)
	}
	o.Anchors = append(o.Anchors, r.Cert)
	leaf := n.Leaf("Leaf", ct.Policies(p2))
	began := cputime.Used()
	path, err := cert.ValidatePath(t.Context(), leaf.Cert, o)
	if err != nil || len(path.Policies) != 3 {
		t.Fatalf("%v, %v", path.Policies, err)
	}
	if took := cputime.Used() - began; took > time.Second {
		t.Errorf("it took %v", took)
	}
}
