package cms_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/asn1"
	"testing"

	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

var oidTSTInfo = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}

func TestContentOfAnotherType(t *testing.T) {
	who := signtest.New(t).RSA
	s := cms.Signer{Certificate: who.Certificate, Key: who.Key, ContentType: oidTSTInfo, OmitCertificates: true}
	der, err := s.Embedded(context.Background(), []byte("a token"), signtest.Now)
	if err != nil {
		t.Fatal(err)
	}
	sd, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if sd.Version != 3 || !sd.ContentType.Equal(oidTSTInfo) || len(sd.Certificates) != 0 {
		t.Fatalf("version %d, type %s, %d certificates", sd.Version, sd.ContentType, len(sd.Certificates))
	}
	d, err := sd.Digest(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := sd.Verify(sd.Signers[0], d, nil); r.Intact() {
		t.Error("intact without any certificate")
	}
	if r := sd.Verify(sd.Signers[0], d, certificates(who)); !r.Intact() {
		t.Errorf("%+v", r.Checks)
	}
	// The same octets as plain data are another statement.
	plain := bytes.Replace(der, oidValue(oidTSTInfo), oidValue(oidData), 1)
	if _, err := cms.Parse(plain); err == nil {
		t.Error("lengths do not fit and are read")
	}
}

// TestTimeStampsAreTold from signatures that speak of them.
func TestTimeStampsAreTold(t *testing.T) {
	p := signtest.New(t)
	token, err := authority(t)(context.Background(), crypto.SHA256, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	named := forgery{who: p.P384, certificate: []byte{}, content: oidValue(oidTSTInfo), raw: []byte{1}}.make(t)
	for name, c := range map[string]struct {
		b    []byte
		want bool
	}{
		"a token":                             {token, true},
		"a token that is cut":                 {token[:len(token)-9], true},
		"a response":                          {tlvOf(0x30, tlvOf(0x30, []byte{2, 1, 0}), token), true},
		"a signature over other data":         {sign(t, p.RSA, true, document), false},
		"content with the token's type in it": {named, false},
		"nothing":                             {nil, false},
	} {
		if got := cms.IsTimeStamp(c.b); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestAddUnsigned(t *testing.T) {
	p := signtest.New(t)
	type1, type2 := asn1.ObjectIdentifier{1, 2, 3, 1}, asn1.ObjectIdentifier{1, 2, 3, 2}
	der := sign(t, p.RSA, true, document)
	two, err := cms.AddUnsigned(der, 0, cms.Attribute{Type: type2, Values: [][]byte{octets([]byte("second"))}})
	if err != nil {
		t.Fatal(err)
	}
	two, err = cms.AddUnsigned(two, 0, cms.Attribute{Type: type1, Values: [][]byte{octets([]byte("a")), octets(nil)}})
	if err != nil {
		t.Fatal(err)
	}
	intact(t, 1, two, nil)
	sd, err := cms.Parse(two)
	if err != nil {
		t.Fatal(err)
	}
	if u := sd.Signers[0].Unsigned; len(u) != 2 || !u[0].Type.Equal(type1) || len(u[0].Values) != 2 || !sd.DER {
		t.Fatalf("%+v", u)
	}
	for name, c := range map[string]struct {
		index int
		a     cms.Attribute
	}{
		"no such signature":   {1, cms.Attribute{Type: type1, Values: [][]byte{octets(nil)}}},
		"a negative one":      {-1, cms.Attribute{Type: type1, Values: [][]byte{octets(nil)}}},
		"no value":            {0, cms.Attribute{Type: type1}},
		"a value of two":      {0, cms.Attribute{Type: type1, Values: [][]byte{{5, 0, 5, 0}}}},
		"a value of nothing":  {0, cms.Attribute{Type: type1, Values: [][]byte{{}}}},
		"a type that is none": {0, cms.Attribute{Type: asn1.ObjectIdentifier{9, 9}, Values: [][]byte{{5, 0}}}},
	} {
		if _, err := cms.AddUnsigned(der, c.index, c.a); err == nil {
			t.Errorf("%s: added", name)
		}
	}
}
