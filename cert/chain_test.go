package cert_test

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/chaintest"
)

// question is one path validation.
type question struct {
	leaf        *chaintest.Node
	anchors     []*chaintest.Node
	between     []*chaintest.Node
	lists       [][]byte // nil: status is not asked for
	policies    cert.PolicyInputs
	at          time.Time // zero: chaintest.Now
	partial     bool      // the anchor is not signed by itself
	cannotParse bool      // refused before any path is looked for
}

// chainCase is a hierarchy with what must come of it. Where openssl judges otherwise, why says the reason; without one
// the two must agree.
type chainCase struct {
	name  string
	holds bool
	why   string
	build func(*chaintest.World) question
}

// judgeChains asks both: ValidatePath, and openssl at its strictest.
func judgeChains(t *testing.T, cases []chainCase) {
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.name] {
			t.Fatalf("two cases are named %s", c.name)
		}
		seen[c.name] = true
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			q := c.build(chaintest.New(t))
			if q.at.IsZero() {
				q.at = chaintest.Now
			}
			path, err := q.ours(t)
			if (err == nil) != c.holds {
				t.Fatalf("want %v, got %v", c.holds, err)
			}
			if err == nil && path.Anchor == nil {
				t.Error("a path without an anchor holds")
			}
			said, theirs := q.openssl(t)
			switch {
			case theirs == c.holds && c.why != "":
				t.Errorf("openssl agrees, and the case gives a reason why it would not")
			case theirs != c.holds && c.why == "":
				t.Errorf("we say %v (%v), openssl says %v without a reason written down: %s", c.holds, err, theirs, said)
			}
		})
	}
}

// listed is a cert.PathRevocation of lists at one instant.
type listed struct {
	*cert.Lists
	at time.Time
}

func (l listed) Status(ctx context.Context, c, issuer *x509.Certificate, _ time.Time) (cert.Status, error) {
	return l.StatusInPath(ctx, []*x509.Certificate{c, issuer}, 0, l.at)
}

func (l listed) StatusInPath(ctx context.Context, chain []*x509.Certificate, i int, _ time.Time) (cert.Status, error) {
	return l.Lists.StatusInPath(ctx, chain, i, cert.Times{At: l.at}), nil
}

func (q question) ours(t *testing.T) (*cert.Path, error) {
	t.Helper()
	leaf, err := cert.Parse(q.leaf.DER)
	if err != nil {
		return nil, err
	}
	if q.cannotParse {
		t.Error("it was to be refused when read")
	}
	o := cert.PathOptions{At: q.at, Policies: q.policies, Strict: true}
	for _, n := range q.anchors {
		o.Anchors = append(o.Anchors, n.Cert)
	}
	for _, n := range q.between {
		if c, err := cert.Parse(n.DER); err == nil {
			o.Intermediates = append(o.Intermediates, c)
		}
	}
	if q.lists != nil {
		l := &cert.Lists{Certificates: o.Intermediates, Strict: true}
		for _, der := range q.lists {
			if c, err := cert.ParseCRL(der); err == nil {
				l.CRLs = append(l.CRLs, c)
			}
		}
		o.Revocation = listed{l, q.at}
	}
	return cert.ValidatePath(t.Context(), leaf, o)
}

func (q question) openssl(t *testing.T) (said string, ok bool) {
	t.Helper()
	ders := func(nodes []*chaintest.Node) (out [][]byte) {
		for _, n := range nodes {
			out = append(out, n.DER)
		}
		return out
	}
	args := []string{"verify", "-x509_strict", "-attime", fmt.Sprint(q.at.Unix()), "-no-CApath", "-no-CAstore", "-policy_check",
		"-CAfile", file(t, "anchors.pem", "CERTIFICATE", ders(q.anchors)...)}
	if len(q.between) > 0 {
		args = append(args, "-untrusted", file(t, "between.pem", "CERTIFICATE", ders(q.between)...))
	}
	if q.lists != nil {
		args = append(args, "-crl_check_all", "-extended_crl", "-use_deltas")
		if len(q.lists) > 0 {
			args = append(args, "-CRLfile", file(t, "lists.pem", "X509 CRL", q.lists...))
		}
	}
	if len(q.policies.Initial) == 0 { // openssl takes silence for no policy
		args = append(args, "-policy", chaintest.AnyPolicy)
	}
	for _, id := range q.policies.Initial {
		args = append(args, "-policy", id.String())
	}
	for flag, on := range map[string]bool{"-explicit_policy": q.policies.RequireExplicit, "-inhibit_map": q.policies.InhibitMapping,
		"-inhibit_any": q.policies.InhibitAny, "-partial_chain": q.partial} {
		if on {
			args = append(args, flag)
		}
	}
	return judge(t, "openssl", append(args, file(t, "leaf.pem", "CERTIFICATE", q.leaf.DER))...)
}

func id(s string) asn1.ObjectIdentifier {
	var out asn1.ObjectIdentifier
	for p := range strings.SplitSeq(s, ".") {
		n := 0
		fmt.Sscan(p, &n)
		out = append(out, n)
	}
	return out
}

func ids(all ...string) (out []asn1.ObjectIdentifier) {
	for _, s := range all {
		out = append(out, id(s))
	}
	return out
}

// nodes is a list of certificates, for brevity.
func nodes(n ...*chaintest.Node) []*chaintest.Node { return slices.Clone(n) }
