package cms_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/asn1"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	attrCounter   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}
	attrStamp     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	attrContentTS = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 20}
	attrOldTS     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 48}
	attrArchive   = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 4}
	attrIndexV3   = asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 5}
)

var serials atomic.Int64 // of tokens, for no two are the same

// authority is a time-stamping authority in a few lines: what its tokens say beside the imprint is for
// others to judge.
func authority(t testing.TB) cms.Timestamper {
	who := signtest.New(t).Other
	s := cms.Signer{Certificate: who.Certificate, Key: who.Key, ContentType: oidTSTInfo}
	return func(ctx context.Context, h crypto.Hash, digest []byte) ([]byte, error) {
		serials.Add(1)
		a, _ := cms.HashAlgorithm(h)
		info := build(func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 3})
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(a.OID) })
					b.AddASN1OctetString(digest)
				})
				b.AddASN1Int64(serials.Load())
				b.AddASN1GeneralizedTime(signtest.Now)
			})
		})
		return s.Embedded(ctx, info, signtest.Now)
	}
}

// levels makes a signature of every level from B-B to B-LTA, the last archived twice.
func levels(t testing.TB, who signtest.Identity) (all [5][]byte) {
	t.Helper()
	ctx, p, stamp := context.Background(), signtest.New(t), authority(t)
	all[0] = sign(t, who, true, document)
	var err error
	for i, add := range []func([]byte) ([]byte, error){
		func(b []byte) ([]byte, error) { return cms.AddTimestamp(ctx, b, 0, stamp) },
		func(b []byte) ([]byte, error) {
			return cms.AddEvidence(b, certificates(p.Root, p.Other), [][]byte{list(t)}, [][]byte{{0x30, 3, 0x0a, 1, 6}})
		},
		func(b []byte) ([]byte, error) { return cms.AddArchiveTimestamp(ctx, b, 0, nil, stamp) },
		func(b []byte) ([]byte, error) { return cms.AddArchiveTimestamp(ctx, b, 0, nil, stamp) },
	} {
		if all[i+1], err = add(all[i]); err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
	}
	return all
}

// list is an empty revocation list of the root.
func list(t testing.TB) []byte {
	t.Helper()
	root := signtest.New(t).Root
	der, err := signtest.List(root)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// stamps gives the time-stamps on the first signature; content is nil where it is embedded.
func stamps(t testing.TB, der, content []byte) []cms.Stamp {
	t.Helper()
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	var r io.Reader
	if content != nil {
		r = bytes.NewReader(content)
	}
	d, err := sd.Digest(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return sd.Stamps(sd.Signers[0], d)
}

func TestLevels(t *testing.T) {
	p := signtest.New(t)
	root := signtest.WritePEM(t, "root.pem", p.Root.Certificate)
	for name, who := range map[string]signtest.Identity{"RSA-2048": p.RSA, "P-384": p.P384} {
		all := levels(t, who)
		for i, der := range all {
			intact(t, 1, der, nil)
			want := [][]cms.StampKind{nil, {cms.StampSignature}, {cms.StampSignature}, {cms.StampSignature, cms.StampArchive},
				{cms.StampSignature, cms.StampArchive, cms.StampArchive}}[i]
			var got []cms.StampKind
			for _, st := range stamps(t, der, nil) {
				got = append(got, st.Kind)
				if st.Fault != "" || !st.Sealed || st.Digest == nil {
					t.Errorf("%s, step %d: %s: %s %s, sealed %t", name, i, st.Kind, st.Fault, st.Why, st.Sealed)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, step %d: %v", name, i, got)
			}
			sd, err := cms.Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			if !sd.DER || sd.Version != map[bool]int{false: 1, true: 5}[i >= 2] {
				t.Errorf("%s, step %d: DER %t, version %d", name, i, sd.DER, sd.Version)
			}
			if e := sd.Evidence(sd.Signers[0]); len(e.CRLs) != min(1, i/2) || len(e.OCSPs) != min(1, i/2) || e.Unread != 0 {
				t.Errorf("%s, step %d: %d lists, %d answers", name, i, len(e.CRLs), len(e.OCSPs))
			}
			file := signtest.Write(t, "signed.p7m", der)
			if out, err := signtest.Judge(t, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-CAfile", root, "-purpose", "any", "-cades", "-in", file, "-out", os.DevNull); err != nil {
				t.Errorf("%s, step %d: openssl: %s", name, i, out)
			}
		}
	}
}

// TestDetachedArchive needs the content, and the same content, whenever the digest is wanted.
func TestDetachedArchive(t *testing.T) {
	ctx, stamp := context.Background(), authority(t)
	der := sign(t, signtest.New(t).RSA, false, document)
	if _, err := cms.AddArchiveTimestamp(ctx, der, 0, nil, stamp); err == nil {
		t.Error("archived without the content")
	}
	archived, err := cms.AddArchiveTimestamp(ctx, der, 0, bytes.NewReader(document), stamp)
	if err != nil {
		t.Fatal(err)
	}
	if st := stamps(t, archived, document); len(st) != 1 || st[0].Fault != "" {
		t.Errorf("%+v", st)
	}
	if st := stamps(t, archived, nil); st[0].Fault != cms.FaultNoContent {
		t.Errorf("without content: %q", st[0].Fault)
	}
	if st := stamps(t, archived, otherDocument); st[0].Fault != cms.FaultContent {
		t.Errorf("with another content: %q", st[0].Fault)
	}
}

func TestAddingIsRefused(t *testing.T) {
	ctx, p, stamp := context.Background(), signtest.New(t), authority(t)
	der := sign(t, p.RSA, true, document)
	old, err := cms.AddUnsigned(der, 0, cms.Attribute{Type: attrOldTS, Values: [][]byte{{0x30, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	liar := func(ctx context.Context, h crypto.Hash, _ []byte) ([]byte, error) {
		return stamp(ctx, h, make([]byte, h.Size()))
	}
	other := func(ctx context.Context, _ crypto.Hash, digest []byte) ([]byte, error) {
		return stamp(ctx, crypto.SHA384, digest)
	}
	nothing := func(context.Context, crypto.Hash, []byte) ([]byte, error) { return der, nil }
	down := func(context.Context, crypto.Hash, []byte) ([]byte, error) { return nil, os.ErrDeadlineExceeded }
	signer := cms.Signer{Certificate: p.Other.Certificate, Key: p.Other.Key}
	for name, add := range map[string]func() ([]byte, error){
		"a time-stamp on no signature":     func() ([]byte, error) { return cms.AddTimestamp(ctx, der, 1, stamp) },
		"a time-stamp over something else": func() ([]byte, error) { return cms.AddTimestamp(ctx, der, 0, liar) },
		"a time-stamp with another hash":   func() ([]byte, error) { return cms.AddTimestamp(ctx, der, 0, other) },
		"a time-stamp that is none":        func() ([]byte, error) { return cms.AddTimestamp(ctx, der, 0, nothing) },
		"a time-stamp that does not come":  func() ([]byte, error) { return cms.AddTimestamp(ctx, der, 0, down) },
		"an archive over something else":   func() ([]byte, error) { return cms.AddArchiveTimestamp(ctx, der, 0, nil, liar) },
		"an archive over other content": func() ([]byte, error) {
			return cms.AddArchiveTimestamp(ctx, der, 0, bytes.NewReader(otherDocument), stamp)
		},
		"an archive beside an older form":    func() ([]byte, error) { return cms.AddArchiveTimestamp(ctx, old, 0, nil, stamp) },
		"evidence beside an older form":      func() ([]byte, error) { return cms.AddEvidence(old, certificates(p.Root), nil, nil) },
		"evidence that is no list":           func() ([]byte, error) { return cms.AddEvidence(der, nil, [][]byte{{5, 0}}, nil) },
		"evidence that is no answer":         func() ([]byte, error) { return cms.AddEvidence(der, nil, nil, [][]byte{{0x30, 0, 0}}) },
		"evidence in something else":         func() ([]byte, error) { return cms.AddEvidence(document, nil, nil, nil) },
		"a signature over other content":     func() ([]byte, error) { return signer.Add(ctx, der, bytes.NewReader(otherDocument), signtest.Now) },
		"a signature over content not given": func() ([]byte, error) { return signer.Add(ctx, sign(t, p.RSA, false, document), nil, signtest.Now) },
		"a signature without a time":         func() ([]byte, error) { return signer.Add(ctx, der, nil, time.Time{}) },
		"a signature beside an older form":   func() ([]byte, error) { return signer.Add(ctx, old, nil, signtest.Now) },
		"a countersignature on nothing":      func() ([]byte, error) { return signer.Countersign(ctx, der, 3, signtest.Now) },
	} {
		if b, err := add(); err == nil || b != nil {
			t.Errorf("%s is added", name)
		}
	}
	if _, _, err := cms.ArchiveImprint(ctx, der, 0, crypto.SHA1, nil); err == nil {
		t.Error("an imprint is made with SHA-1")
	}
}

// TestStampNearCopies changes one thing about what a time-stamp covers. The signature itself mostly
// stays good: a time-stamp is not signed, and a bad one proves nothing.
func TestStampNearCopies(t *testing.T) {
	p := signtest.New(t)
	all, other := levels(t, p.RSA), levels(t, p.P384)
	bt, lta := all[1], all[3]
	unsigned := func(n *node, oid asn1.ObjectIdentifier) *node { return n.signer().unsigned().attribute(oid) }
	index := func(n *node) *node { // the index in the first archive time-stamp
		return unsigned(n, attrArchive).kids[1].kids[0].signer().unsigned().attribute(attrIndexV3)
	}
	for _, c := range []struct {
		name   string
		of     []byte
		change func(root, other *node)
		want   []cms.Fault // of the time-stamps in the order of Stamps
	}{
		{"nothing changed", lta, func(_, _ *node) {}, []cms.Fault{"", ""}},
		{"copied from another signature", bt, func(n, o *node) { *unsigned(n, attrStamp) = *unsigned(o, attrStamp) }, []cms.Fault{cms.FaultContent}},
		{"the signature value changed", bt, func(n, _ *node) { n.signer().value().body[7] ^= 1 }, []cms.Fault{cms.FaultContent}},
		{"a token that is none", bt, func(n, _ *node) { unsigned(n, attrStamp).kids[1].kids = []*node{tlv([]byte{5, 0})} }, []cms.Fault{cms.FaultFormat}},
		{"a token over plain data", bt, func(n, _ *node) { unsigned(n, attrStamp).kids[1].kids[0].encap().kids[0] = tlv(oidValue(oidData)) }, []cms.Fault{cms.FaultFormat}},
		{"a token with two signers", bt, func(n, _ *node) {
			s := unsigned(n, attrStamp).kids[1].kids[0].signers()
			s.kids = append(s.kids, s.kids[0].clone())
		}, []cms.Fault{cms.FaultFormat}},
		{"a token without content", bt, func(n, _ *node) {
			unsigned(n, attrStamp).kids[1].kids[0].encap().kids = unsigned(n, attrStamp).kids[1].kids[0].encap().kids[:1]
		}, []cms.Fault{cms.FaultFormat}},
		{"a second token copied beside it", bt, func(n, o *node) {
			s := unsigned(n, attrStamp).kids[1]
			s.kids = append(s.kids, unsigned(o, attrStamp).kids[1].kids[0])
		}, []cms.Fault{"", cms.FaultContent}},
		{"as an older archive", bt, func(n, _ *node) { unsigned(n, attrStamp).kids[0] = tlv(oidValue(attrOldTS)) }, []cms.Fault{cms.FaultUnsupported}},
		{"as a content time-stamp that is not signed", bt, func(n, _ *node) { unsigned(n, attrStamp).kids[0] = tlv(oidValue(attrContentTS)) }, nil},
		{"an archive copied from another signature", lta, func(n, o *node) { *unsigned(n, attrArchive) = *unsigned(o, attrArchive) }, []cms.Fault{"", cms.FaultContent}},
		{"a signature time-stamp in the place of an archive", lta, func(n, _ *node) {
			unsigned(n, attrArchive).kids[1].kids[0] = unsigned(n, attrStamp).kids[1].kids[0].clone()
		}, []cms.Fault{"", cms.FaultFormat}},
		{"an archive in the place of a signature time-stamp", lta, func(n, _ *node) {
			unsigned(n, attrStamp).kids[1].kids[0] = unsigned(n, attrArchive).kids[1].kids[0].clone()
		}, []cms.Fault{cms.FaultContent, cms.FaultContent}},
		{"archived content changed", lta, func(n, _ *node) { n.encap().kids[1].kids[0].body[0] ^= 1 }, []cms.Fault{"", cms.FaultContent}},
		{"archived signed attributes changed", lta, func(n, _ *node) {
			n.signer().signed().attribute(attrTime).kids[1].kids[0].body[5] ^= 1
		}, []cms.Fault{"", cms.FaultContent}},
		{"archived time-stamp taken out", lta, func(n, _ *node) {
			u := n.signer().unsigned()
			u.kids = slices.DeleteFunc(u.kids, func(a *node) bool { return bytes.Equal(a.kids[0].bytes(), oidValue(attrStamp)) })
		}, []cms.Fault{cms.FaultContent}},
		{"archived certificate taken out", lta, func(n, _ *node) {
			s := n.signedData().kid(0xa0)
			s.kids = s.kids[1:]
		}, []cms.Fault{"", cms.FaultContent}},
		{"archived list taken out", lta, func(n, _ *node) {
			s := n.signedData().kid(0xa1)
			s.kids = s.kids[:len(s.kids)-1]
		}, []cms.Fault{"", cms.FaultContent}},
		{"archived list changed", lta, func(n, _ *node) { n.signedData().kid(0xa1).kids[0].kids[0].kids[3].body[0] ^= 1 }, []cms.Fault{"", cms.FaultContent}},
		{"archived list moved among the certificates", lta, func(n, _ *node) {
			lists, certs := n.signedData().kid(0xa1), n.signedData().kid(0xa0)
			certs.kids = append(certs.kids, lists.kids[0])
			lists.kids = lists.kids[1:]
		}, []cms.Fault{"", cms.FaultContent}},
		{"a certificate more", lta, func(n, _ *node) {
			s := n.signedData().kid(0xa0)
			s.kids = append(s.kids, tlv(p.P384.Certificate.Raw))
		}, []cms.Fault{"", ""}},
		{"the index emptied", lta, func(n, _ *node) { index(n).kids[1].kids[0].kids[3].kids = nil }, []cms.Fault{"", cms.FaultContent}},
		{"the index shortened", lta, func(n, _ *node) {
			s := index(n).kids[1].kids[0].kids[1]
			s.kids = s.kids[1:]
		}, []cms.Fault{"", cms.FaultContent}},
		{"the index in another order", lta, func(n, _ *node) { slices.Reverse(index(n).kids[1].kids[0].kids[1].kids) }, []cms.Fault{"", cms.FaultContent}},
		{"the index with another hash", lta, func(n, _ *node) {
			index(n).kids[1].kids[0].kids[0].kids[0] = tlv(oidValue(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 8}))
		}, []cms.Fault{"", cms.FaultFormat}},
		{"the index twice", lta, func(n, _ *node) {
			u := unsigned(n, attrArchive).kids[1].kids[0].signer().unsigned()
			u.kids = append(u.kids, index(n).clone())
		}, []cms.Fault{"", cms.FaultFormat}},
		{"the index taken out", lta, func(n, _ *node) { unsigned(n, attrArchive).kids[1].kids[0].signer().drop(0xa1) }, []cms.Fault{"", cms.FaultFormat}},
		{"the index of another signature", lta, func(n, o *node) { *index(n) = *index(o) }, []cms.Fault{"", cms.FaultFormat}},
		{"the index among the signed attributes", lta, func(n, _ *node) {
			token := unsigned(n, attrArchive).kids[1].kids[0].signer()
			token.signed().kids = append(token.signed().kids, index(n))
			token.drop(0xa1)
		}, []cms.Fault{"", cms.FaultFormat}},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, c.of)
			which := 1
			if len(c.want) == 2 {
				which = 3
			}
			c.change(root, tree(t, other[which]))
			var got []cms.Fault
			for _, st := range stamps(t, root.bytes(), nil) {
				got = append(got, st.Fault)
				if (st.Fault == "") != (st.Fault == "" && st.Digest != nil) {
					t.Error("nothing is said to be wrong, and nothing to compare with is given")
				}
			}
			if !slices.Equal(got, c.want) {
				t.Fatalf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestArchivesSealEachOther: who adds a time-stamp later cannot make an earlier archive look like a later
// one, nor a time-stamp that no archive covers look old.
func TestArchivesSealEachOther(t *testing.T) {
	ctx, stamp := context.Background(), authority(t)
	twice := levels(t, signtest.New(t).RSA)[4]
	late, err := cms.AddTimestamp(ctx, twice, 0, stamp)
	if err != nil {
		t.Fatal(err)
	}
	var unsealed int
	for _, st := range stamps(t, late, nil) {
		if st.Fault != "" {
			t.Errorf("%s: %s", st.Kind, st.Why)
		}
		if !st.Sealed {
			unsealed++
		}
	}
	if unsealed != 1 {
		t.Errorf("%d time-stamps are not sealed, but only the last one came after the archives", unsealed)
	}
	root := tree(t, twice)
	set := root.signer().unsigned()
	slices.Reverse(set.kids)
	if st := stamps(t, root.bytes(), nil); st[1].Uncovered != 2 || st[2].Uncovered != 1 || !st[1].Sealed {
		t.Errorf("the order in the file decides: %+v", st)
	}
}
