package cms_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"testing"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

var (
	attrCertValues = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 23}
	attrRevValues  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 24}
	attrIndexV1    = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 5}
)

// TestEvidenceOfOlderForms reads what stood in attributes before it stood in SignedData.
func TestEvidenceOfOlderForms(t *testing.T) {
	p := signtest.New(t)
	crl, basic := list(t), tlvOf(0x30, octets([]byte("who signed it and what")))
	certs := tlvOf(0x30, p.Root.Certificate.Raw, p.Other.Certificate.Raw)
	tagged := func(n byte, parts ...[]byte) []byte { return tlvOf(0xa0|n, tlvOf(0x30, parts...)) }
	for name, c := range map[string]struct {
		oid                  asn1.ObjectIdentifier
		value                []byte
		certs, crls, answers int
		unread               int
	}{
		"certificates":               {attrCertValues, certs, 2, 0, 0, 0},
		"certificates, one is none":  {attrCertValues, tlvOf(0x30, p.Root.Certificate.Raw, []byte{0x30, 0}), 1, 0, 0, 1},
		"certificates that are none": {attrCertValues, octets(nil), 0, 0, 0, 1},
		"a list":                     {attrRevValues, tlvOf(0x30, tagged(0, crl)), 0, 1, 0, 0},
		"an answer":                  {attrRevValues, tlvOf(0x30, tagged(1, basic)), 0, 0, 1, 0},
		"lists and answers":          {attrRevValues, tlvOf(0x30, tagged(0, crl, crl), tagged(1, basic)), 0, 2, 1, 0},
		"another form":               {attrRevValues, tlvOf(0x30, tagged(0, crl), tagged(2)), 0, 1, 0, 1},
		"a list without its tag":     {attrRevValues, tlvOf(0x30, crl), 0, 0, 0, 1},
		"no sequence":                {attrRevValues, octets(nil), 0, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			der, err := cms.AddUnsigned(sign(t, p.RSA, true, document), 0, cms.Attribute{Type: c.oid, Values: [][]byte{c.value}})
			if err != nil {
				t.Fatal(err)
			}
			sd, err := cms.Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			e := sd.Evidence(sd.Signers[0])
			if len(e.Certificates) != c.certs || len(e.CRLs) != c.crls || len(e.OCSPs) != c.answers || e.Unread != c.unread {
				t.Fatalf("%d certificates, %d lists, %d answers, %d unread", len(e.Certificates), len(e.CRLs), len(e.OCSPs), e.Unread)
			}
			for _, got := range e.CRLs {
				if !bytes.Equal(got, crl) {
					t.Error("the list is not what was put in")
				}
			}
			for _, got := range e.OCSPs { // the basic response inside a successful OCSPResponse
				want := tlvOf(0x30, []byte{0x0a, 1, 0}, tlvOf(0xa0, tlvOf(0x30, oidValue(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}), octets(basic))))
				if !bytes.Equal(got, want) {
					t.Errorf("% x", got)
				}
			}
		})
	}
}

// archive puts an archive time-stamp together from the elements as they stand in the file, and by the
// words of the standard alone: a second reading of it.
func archive(t *testing.T, der []byte, version int) []byte {
	t.Helper()
	root := tree(t, der)
	hashed := func(b []byte) []byte {
		sum := sha256.Sum256(b)
		return octets(sum[:])
	}
	var index [3][][]byte
	for i, tag := range []byte{0xa0, 0xa1} {
		if set := root.signedData().kid(tag); set != nil {
			for _, k := range set.kids {
				index[i] = append(index[i], hashed(k.bytes()))
			}
		}
	}
	fixed := root.signer().clone()
	fixed.drop(0xa1)
	if u := root.signer().unsigned(); u != nil {
		for _, a := range u.kids {
			if version == 1 {
				index[2] = append(index[2], hashed(a.bytes()))
				continue
			}
			for _, v := range a.kids[1].kids {
				index[2] = append(index[2], hashed(append(a.kids[0].bytes(), v.bytes()...)))
			}
		}
	}
	all := tlvOf(0x30, tlvOf(0x30, oidValue(oidSHA256)), tlvOf(0x30, index[0]...), tlvOf(0x30, index[1]...), tlvOf(0x30, index[2]...))
	content := sha256.Sum256(root.encap().kids[1].kids[0].body)
	covered := append(root.encap().kids[0].bytes(), content[:]...)
	for _, k := range fixed.kids {
		covered = append(covered, k.bytes()...)
	}
	sum := sha256.Sum256(append(covered, all...))
	token, err := authority(t)(context.Background(), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	oid := attrIndexV3
	if version == 1 {
		oid = attrIndexV1
	}
	if token, err = cms.AddUnsigned(token, 0, cms.Attribute{Type: oid, Values: [][]byte{all}}); err == nil {
		der, err = cms.AddUnsigned(der, 0, cms.Attribute{Type: attrArchive, Values: [][]byte{token}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestArchivesOfOthers(t *testing.T) {
	lt := levels(t, signtest.New(t).RSA)[2]
	for name, c := range map[string]struct {
		of       []byte
		versions []int
	}{
		"version 3":                  {lt, []int{3}},
		"version 1":                  {lt, []int{1}},
		"one on the other":           {lt, []int{1, 3, 1}},
		"nothing beside the content": {sign(t, signtest.New(t).RSA, true, document), []int{3}},
	} {
		t.Run(name, func(t *testing.T) {
			der := c.of
			for _, version := range c.versions {
				der = archive(t, der, version)
			}
			archives := 0
			for _, st := range stamps(t, der, nil) {
				if st.Fault != "" || !st.Sealed {
					t.Errorf("%s: %s %s, sealed %t", st.Kind, st.Fault, st.Why, st.Sealed)
				}
				if st.Kind == cms.StampArchive {
					archives++
				}
			}
			if archives != len(c.versions) {
				t.Errorf("%d archives", archives)
			}
			root := tree(t, der)
			root.signer().signed().attribute(attrTime).kids[1].kids[0].body[5] ^= 1
			for _, st := range stamps(t, root.bytes(), nil) {
				if st.Kind == cms.StampArchive && st.Fault != cms.FaultContent {
					t.Errorf("over other attributes: %q", st.Fault)
				}
			}
		})
	}
}

// TestOurImprintIsTheOtherReading of the standard.
func TestOurImprintIsTheOtherReading(t *testing.T) {
	lt := levels(t, signtest.New(t).RSA)[2]
	digest, index, err := cms.ArchiveImprint(context.Background(), lt, 0, crypto.SHA256, nil)
	if err != nil {
		t.Fatal(err)
	}
	var archives []cms.Stamp
	for _, st := range stamps(t, archive(t, lt, 3), nil) {
		if st.Kind == cms.StampArchive {
			archives = append(archives, st)
		}
	}
	if len(archives) != 1 || !bytes.Equal(archives[0].Digest, digest) || !bytes.Contains(archives[0].Token, index) {
		t.Errorf("% x", digest)
	}
}
