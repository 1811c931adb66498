package cms_test

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

// countersigned is a signature by RSA with a countersignature by P384.
func countersigned(t testing.TB, content []byte) []byte {
	t.Helper()
	p := signtest.New(t)
	der := sign(t, p.RSA, true, content)
	der, err := (&cms.Signer{Certificate: p.P384.Certificate, Key: p.P384.Key}).Countersign(context.Background(), der, 0, signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestParallelSignaturesAndCountersignatures(t *testing.T) {
	ctx, p := context.Background(), signtest.New(t)
	der := countersigned(t, document)
	for _, who := range []signtest.Identity{p.P384, p.Other} {
		var err error
		if der, err = (&cms.Signer{Certificate: who.Certificate, Key: who.Key}).Add(ctx, der, nil, signtest.Now); err != nil {
			t.Fatal(err)
		}
	}
	der, err := (&cms.Signer{Certificate: p.Other.Certificate, Key: p.Other.Key}).Countersign(ctx, der, 2, signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	intact(t, 5, der, nil)
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if !sd.DER || len(sd.Signers) != 3 || len(sd.Certificates) != 3 {
		t.Errorf("DER %t, %d signers, %d certificates", sd.DER, len(sd.Signers), len(sd.Certificates))
	}
	for _, s := range sd.All() {
		for _, c := range s.Countersigners {
			if c.Countersigns() != s {
				t.Error("a countersignature does not know what it is on")
			}
		}
	}
	root := signtest.WritePEM(t, "root.pem", p.Root.Certificate)
	if out, err := signtest.Judge(t, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-CAfile", root, "-purpose", "any", "-in", signtest.Write(t, "s", der), "-out", os.DevNull); err != nil {
		t.Errorf("openssl: %s", out)
	}
	out, err := signtest.Judge(t, "openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", signtest.Write(t, "s", der))
	if err != nil || strings.Count(out, "countersignature") != 2 {
		t.Errorf("openssl sees other countersignatures: %s", out)
	}
}

// TestDetachedSignaturesInParallel: the content is asked for again, and compared.
func TestDetachedSignaturesInParallel(t *testing.T) {
	p := signtest.New(t)
	s := cms.Signer{Certificate: p.Other.Certificate, Key: p.Other.Key}
	der, err := s.Add(context.Background(), sign(t, p.P384, false, document), bytes.NewReader(document), signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	intact(t, 2, der, document)
	for _, r := range mustVerify(t, der, otherDocument) {
		if r.Intact() {
			t.Error("intact over another document")
		}
	}
}

func mustVerify(t testing.TB, der, content []byte) []*cms.Result {
	t.Helper()
	all, err := verify(t, der, content)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestCountersignatureNearCopies changes one thing about a countersignature. The signature below it
// stays good unless it is what was changed.
func TestCountersignatureNearCopies(t *testing.T) {
	p := signtest.New(t)
	good, other := countersigned(t, document), countersigned(t, otherDocument)
	intact(t, 2, good, nil)
	counter := func(n *node) *node { return n.signer().unsigned().attribute(attrCounter).kids[1].kids[0] }
	drop := func(n *node, at int) { n.kids = slices.Delete(n.kids, at, at+1) }
	for _, c := range []struct {
		name   string
		change func(n, o *node)
		want   cms.Fault
	}{
		{"copied from another signature", func(n, o *node) { *counter(n) = *counter(o) }, cms.FaultContent},
		{"message-digest of another", func(n, o *node) {
			*counter(n).signed().attribute(attrDigest) = *counter(o).signed().attribute(attrDigest)
		}, cms.FaultContent},
		{"message-digest of the document", func(n, _ *node) {
			counter(n).signed().attribute(attrDigest).kids[1].kids[0].body = digestValue(document)[2:]
		}, cms.FaultContent},
		{"message-digest taken out", func(n, _ *node) {
			s := counter(n).signed()
			s.kids = slices.DeleteFunc(s.kids, func(a *node) bool { return bytes.Equal(a.kids[0].bytes(), oidValue(attrDigest)) })
		}, cms.FaultFormat},
		{"with a content type", func(n, _ *node) {
			s := counter(n).signed()
			s.kids = append(s.kids, tlv(attribute(attrContentType, oidValue(oidData))))
		}, cms.FaultFormat},
		{"attributes removed", func(n, _ *node) { counter(n).drop(0xa0) }, cms.FaultValue},
		{"value changed", func(n, _ *node) { counter(n).value().body[20] ^= 1 }, cms.FaultValue},
		{"value of the signature below", func(n, _ *node) { *counter(n).value() = *n.signer().value() }, cms.FaultValue},
		{"the signature below again", func(n, _ *node) {
			below := n.signer().clone()
			below.drop(0xa1)
			*counter(n) = *below
		}, cms.FaultFormat},
		{"moved up to be a signature", func(n, _ *node) { n.signers().kids = append(n.signers().kids, counter(n).clone()) }, cms.FaultFormat},
		{"in the place of the signature", func(n, _ *node) { n.signers().kids = []*node{counter(n)} }, cms.FaultFormat},
		{"moved onto itself", func(n, _ *node) { counter(n).addUnsigned(n.signer().unsigned().attribute(attrCounter).clone()) }, cms.FaultContent},
		{"among the signed attributes", func(n, _ *node) {
			n.signer().signed().kids = append(n.signer().signed().kids, n.signer().unsigned().attribute(attrCounter))
			n.signer().drop(0xa1)
		}, cms.FaultFormat},
		{"its certificate taken out", func(n, _ *node) {
			set := n.signedData().kid(0xa0)
			set.kids = slices.DeleteFunc(set.kids, func(c *node) bool { return bytes.Equal(c.bytes(), p.P384.Certificate.Raw) })
		}, cms.FaultSigner},
		{"signer's version of another", func(n, _ *node) { counter(n).kids[0].body = []byte{3} }, cms.FaultFormat},
		{"signed by another's number", func(n, _ *node) { *counter(n).kids[1] = *n.signer().kids[1] }, cms.FaultReference},
		{"a member missing", func(n, _ *node) { drop(counter(n), 2) }, "unreadable"},
		{"that is none", func(n, _ *node) { *counter(n) = *tlv([]byte{5, 0}) }, "unreadable"},
		{"a second that is none beside it", func(n, _ *node) {
			s := n.signer().unsigned().attribute(attrCounter).kids[1]
			s.kids = append(s.kids, tlv([]byte{0x30, 0}))
		}, "unreadable"},
		{"the signature below changed", func(n, _ *node) { n.signer().value().body[9] ^= 1 }, cms.FaultValue},
		{"too many levels of it", func(n, _ *node) {
			inner := n.signer().unsigned().attribute(attrCounter)
			for range cms.MaxNesting {
				outer := inner.clone()
				outer.kids[1].kids[0].addUnsigned(inner)
				inner = outer
			}
			n.signer().unsigned().kids = []*node{inner}
		}, "unreadable"},
		{"too many beside it", func(n, _ *node) {
			s := n.signer().unsigned().attribute(attrCounter).kids[1]
			for range cms.MaxSigners {
				s.kids = append(s.kids, s.kids[0])
			}
		}, "unreadable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, good)
			c.change(root, tree(t, other))
			if got := anyFault(t, root.bytes(), nil); got != c.want {
				t.Fatalf("fault %q, want %q", got, c.want)
			}
		})
	}
}
