package cert_test

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

var suites = []cert.Suite{cert.RSA2048SHA256, cert.P384SHA384}

// everyProfile gives one certificate of each profile, under authorities of both kinds.
func everyProfile(t *testing.T, suite cert.Suite) map[cert.Profile][]*x509.Certificate {
	sign, auth := certtest.NewAuthority(t, jitsuin.SignCert, suite, 1), certtest.NewAuthority(t, jitsuin.AuthCert, suite, 2)
	responder, _ := sign.Responder(t, 1)
	phoneSign, phoneAuth := sign.Resident(t, big.NewInt(0x1234568)), auth.Resident(t, big.NewInt(0x7654322))
	phoneSign.Profile, phoneAuth.Profile = cert.ProfilePhoneSign, cert.ProfilePhoneAuth
	return map[cert.Profile][]*x509.Certificate{
		cert.ProfilePhoneSign: {sign.Issue(t, phoneSign), sign.Cert},
		cert.ProfilePhoneAuth: {auth.Issue(t, phoneAuth), auth.Cert},
		cert.ProfileCA:        {sign.Cert, sign.Cert},
		cert.ProfileSign:      {sign.Issue(t, sign.Resident(t, big.NewInt(0x1234567))), sign.Cert},
		cert.ProfileAuth:      {auth.Issue(t, auth.Resident(t, big.NewInt(0x7654321))), auth.Cert},
		cert.ProfileResponder: {sign.Issue(t, responder), sign.Cert},
	}
}

func TestEveryProfilePleasesItsJudges(t *testing.T) {
	for _, suite := range suites {
		for profile, pair := range everyProfile(t, suite) {
			t.Run(string(suite)+"/"+string(profile), func(t *testing.T) {
				c, ca := pair[0], pair[1]
				if !bytes.HasPrefix(c.Raw, []byte{0x30, 0x82}) {
					t.Error("does not begin with 30 82")
				}
				if found, err := cert.Lint(c.Raw, profile); err != nil || len(found) > 0 {
					t.Errorf("lint: %v %v", found, err)
				}
				leaf, anchor := file(t, "leaf.pem", "CERTIFICATE", c.Raw), file(t, "ca.pem", "CERTIFICATE", ca.Raw)
				at := certtest.Now.Unix()
				if out, ok := judge(t, "openssl", "verify", "-x509_strict", "-attime", big.NewInt(at).String(), "-CAfile", anchor, leaf); !ok {
					t.Errorf("openssl verify: %s", out)
				}
				if now := time.Now(); now.Before(c.NotBefore) || now.After(c.NotAfter) {
					t.Log("certtool judges by the wall clock only and is not asked today")
				} else if out, ok := judge(t, "certtool", "--verify", "--load-ca-certificate", anchor, "--infile", leaf); !ok {
					t.Errorf("certtool: %s", out)
				}
				checkZlint(t, c)
			})
		}
	}
}

// checkZlint applies zlint's rules from RFC 5280. Where one fights what is observed on real certificates, the profile wins.
func checkZlint(t *testing.T, c *x509.Certificate) {
	t.Helper()
	fights := []string{}
	registry, err := lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: lint.SourceList{lint.RFC5280, lint.RFC5480}})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := zx509.ParseCertificate(c.Raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range zlint.LintCertificateEx(parsed, registry).Results {
		if r.Status >= lint.Error && !slices.Contains(fights, name) {
			t.Errorf("zlint %s: %s", name, r.Details)
		}
	}
}

func TestASignatureCertificateReadsAsTheCardShowsIt(t *testing.T) {
	sign := certtest.NewAuthority(t, jitsuin.SignCert, cert.RSA2048SHA256, 1)
	c := sign.Issue(t, sign.Resident(t, big.NewInt(77)))
	out, ok := judge(t, "openssl", "x509", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus_space", "-in", file(t, "c.pem", "CERTIFICATE", c.Raw))
	if !ok {
		t.Fatal(out)
	}
	for _, want := range []string{
		"Subject: C=JP, L=Kasumi-ken, L=Asagiri-shi, CN=0A1B2C3D4E91201003A",
		"Issuer: C=JP, O=JPKI-TEST, OU=JPKI for digital signature, OU=Japan Agency for Local Authority Information Systems",
		"Not After : Jun  1 14:59:59 2030 GMT", "Digital Signature, Non Repudiation", "Policy: 1.2.392.200149.8.5.1.0.20",
		"1.2.392.200149.8.5.5.1", "CN = Asagiri-shi CRLDP",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("openssl does not show %q in:\n%s", want, out)
		}
	}
	items, err := cert.ItemsOf(c)
	if err != nil || items != sign.Resident(t, big.NewInt(77)).Items {
		t.Errorf("items: %+v, %v", items, err)
	}
}

func TestTheSameTemplateGivesTheSameOctets(t *testing.T) {
	sign := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 1)
	tmpl := sign.Resident(t, big.NewInt(5))
	tmpl.Realm, tmpl.OCSP, tmpl.LongAKI = cert.Sandbox(), "http://status.example/ocsp", true
	one, err1 := tmpl.TBS()
	two, err2 := tmpl.TBS()
	if err1 != nil || err2 != nil || !bytes.Equal(one, two) {
		t.Fatal(err1, err2, "the octets differ")
	}
	tmpl.Serial = big.NewInt(6)
	if other, _ := tmpl.TBS(); bytes.Equal(one, other) {
		t.Error("another serial number gives the same octets")
	}
}

func TestTemplatesThatTheProfileForbids(t *testing.T) {
	sign := certtest.NewAuthority(t, jitsuin.SignCert, cert.RSA2048SHA256, 1)
	for name, change := range map[string]func(*cert.Template){
		"serial":      func(m *cert.Template) { m.Serial = big.NewInt(0) },
		"validity":    func(m *cert.Template) { m.LastDay = jitsuin.DateOf(sign.Cert.NotAfter).AddDays(1) },
		"issuer":      func(m *cert.Template) { m.Issuer = nil },
		"place":       func(m *cert.Template) { m.Place.Municipality = "朝霧市" },
		"common_name": func(m *cert.Template) { m.CommonName = "霧島花子" },
		"items":       func(m *cert.Template) { m.Profile = cert.ProfileAuth },
		"address_substitutes": func(m *cert.Template) {
			m.Items.AddressSubstitutes = m.Items.AddressSubstitutes[1:]
		},
	} {
		tmpl := sign.Resident(t, big.NewInt(5))
		tmpl.Realm = cert.Sandbox()
		change(tmpl)
		_, err := tmpl.TBS()
		e, ok := err.(*jitsuin.Error)
		if !ok || e.Kind != jitsuin.Invalid || e.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLintFindsWhatIsWrong(t *testing.T) {
	sign := certtest.NewAuthority(t, jitsuin.SignCert, cert.RSA2048SHA256, 1)
	auth := certtest.NewAuthority(t, jitsuin.AuthCert, cert.RSA2048SHA256, 2)
	signTBS := sign.Issue(t, sign.Resident(t, big.NewInt(9))).RawTBSCertificate
	has := func(der []byte, p cert.Profile, rule string) {
		t.Helper()
		found, err := cert.Lint(der, p)
		if err != nil || !slices.ContainsFunc(found, func(f cert.Finding) bool { return f.Rule == rule && f.Citation != "" }) {
			t.Errorf("as %s: rule %s is not among %v (%v)", p, rule, found, err)
		}
	}
	altered := func(from, to string) []byte {
		if len(from) != len(to) || !bytes.Contains(signTBS, []byte(from)) {
			t.Fatal("bad alteration", from)
		}
		return sign.Assemble(t, bytes.Replace(slices.Clone(signTBS), []byte(from), []byte(to), 1)).Raw
	}
	has(altered("\x03\x02\x06\xc0", "\x03\x02\x06\x40"), cert.ProfileSign, "sign-key-usage")
	has(altered("300601145959Z", "300601150000Z"), cert.ProfileSign, "last-second")
	has(altered("319800217", "319800231"), cert.ProfileSign, "sign-items")
	has(altered("CRL Distribution Points", "CRL Distribution Piints"), cert.ProfileSign, "distribution-point")
	has(altered("\x13\x02JP", "\x0c\x02JP"), cert.ProfileSign, "name-strings")
	has(sign.Cert.Raw, cert.ProfileSign, "not-a-ca")
	has(auth.Issue(t, auth.Resident(t, big.NewInt(9))).Raw, cert.ProfileSign, "sign-items")
	has(sign.Issue(t, sign.Resident(t, big.NewInt(9))).Raw, cert.ProfileAuth, "auth-no-personal-data")
	has(auth.Issue(t, auth.Resident(t, big.NewInt(9))).Raw, cert.ProfileResponder, "responder-usage")
	if _, err := cert.Lint([]byte{0x30, 0}, cert.ProfileCA); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Error("not a certificate:", err)
	}
}

// The kind of a certificate on a telephone is that of the card's; only its policy tells where it is, and neither passes for the other.
func TestCertificatesOnATelephoneAreToldByTheirPolicy(t *testing.T) {
	all := everyProfile(t, cert.RSA2048SHA256)
	for profile, other := range map[cert.Profile]cert.Profile{cert.ProfileSign: cert.ProfilePhoneSign, cert.ProfileAuth: cert.ProfilePhoneAuth} {
		onCard, onPhone := all[profile][0], all[other][0]
		kind, ok := cert.KindOf(onPhone)
		if want, _ := cert.KindOf(onCard); !ok || kind != want || cert.PhoneProfile(kind) != other {
			t.Errorf("%s is of the kind %q", other, kind)
		}
		if cert.OnPhone(onCard) || !cert.OnPhone(onPhone) || cert.OnPhone(all[cert.ProfileCA][0]) {
			t.Errorf("%s: told wrongly where it is", profile)
		}
		for der, p := range map[*x509.Certificate]cert.Profile{onCard: other, onPhone: profile} {
			if found, err := cert.Lint(der.Raw, p); err != nil || len(found) != 1 {
				t.Errorf("judged as %s: %v %v", p, found, err)
			}
		}
	}
	auth := certtest.NewAuthority(t, jitsuin.AuthCert, cert.RSA2048SHA256, 2)
	nameless := auth.Resident(t, big.NewInt(7))
	nameless.Profile, nameless.Realm.PhoneAuthPolicy = cert.ProfilePhoneAuth, nil
	if _, err := nameless.TBS(); jitsuin.KindOf(err) != jitsuin.Invalid {
		t.Errorf("a realm without a policy for telephones: %v", err)
	}
}
