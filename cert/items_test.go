package cert_test

import (
	"bytes"
	"math/big"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
)

func TestItemsSurviveTheCertificate(t *testing.T) {
	a := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 1)
	for _, sex := range []jitsuin.Sex{jitsuin.Male, jitsuin.Female, jitsuin.SexUnknown, jitsuin.SexNotApplicable} {
		for _, birth := range []jitsuin.Date{{Year: 1911, Month: time.March, Day: 3}, {Year: 1989, Month: time.January, Day: 7}, {Year: 1989, Month: time.January, Day: 8}, {Year: 2024, Month: time.February, Day: 29}} {
			m := a.Resident(t, big.NewInt(42))
			m.Items.Sex, m.Items.BirthDate = sex, birth
			m.Items.NameSubstitutes = "10000"
			items, err := cert.ItemsOf(a.Issue(t, m))
			if err != nil || items != m.Items {
				t.Errorf("%+v becomes %+v: %v", m.Items, items, err)
			}
		}
	}
}

// The era digit and the attributes' numbers are as observed on a test card.
func TestTheNameIsWrittenAsOnTheCard(t *testing.T) {
	a := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 1)
	c := a.Issue(t, a.Resident(t, big.NewInt(42)))
	last := -1
	for _, attribute := range []string{"\x01\xa0\x11\x0c\x0f霧島", "\x04\xa0\x0b\x0c\x09319800217", "\x03\xa0\x03\x0c\x012", "\x05\xa0", "\x02\xa0\x07\x0c\x0500000", "\x06\xa0"} {
		at := bytes.Index(c.Raw, []byte("\x2a\x83\x08\x8c\x9b\x55\x08\x05\x05"+attribute))
		if at <= last {
			t.Errorf("attribute %q is missing or out of order", attribute)
		}
		last = at
	}
}

func TestItemsThatAreNotRead(t *testing.T) {
	a := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 1)
	tbs := a.Issue(t, a.Resident(t, big.NewInt(42))).RawTBSCertificate
	for name, change := range map[string][2]string{
		"no such day":       {"319800217", "319800230"},
		"no such era":       {"319800217", "719800217"},
		"mask too long":     {"\x0c\x0500000", "\x0c\x050000x"},
		"no such sex":       {"\x03\xa0\x03\x0c\x012", "\x03\xa0\x03\x0c\x014"},
		"twice":             {"\x05\x05\x04\xa0", "\x05\x05\x01\xa0"},
		"one missing":       {"\x05\x05\x02\xa0", "\x05\x05\x09\xa0"},
		"not a UTF8String":  {"\x0c\x09319800217", "\x16\x09319800217"},
		"not even UTF-8":    {"霧島", "\xff\xfe\xfd島"},
		"nothing in a text": {"\x03\xa0\x03\x0c\x012", "\x03\xa0\x03\x0c\x01 "},
	} {
		if !bytes.Contains(tbs, []byte(change[0])) || len(change[0]) != len(change[1]) {
			t.Fatal("bad test:", name)
		}
		c := a.Assemble(t, bytes.Replace(bytes.Clone(tbs), []byte(change[0]), []byte(change[1]), 1))
		if items, err := cert.ItemsOf(c); jitsuin.KindOf(err) != jitsuin.Invalid {
			t.Errorf("%s: %+v, %v", name, items, err)
		}
	}
	if _, err := cert.ItemsOf(a.Cert); jitsuin.KindOf(err) != jitsuin.NotFound {
		t.Error("a CA certificate has no items:", err)
	}
}
