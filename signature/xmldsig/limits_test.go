package xmldsig

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/cputime"
)

func digestOfText(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// What would keep a verifier busy ends soon, and is never good. The bound is of processor time, and wide for slow machines.
func TestHostileDocumentsEndSoon(t *testing.T) {
	filled := func(s string) string {
		s = strings.ReplaceAll(s, "<DigestValue></", "<DigestValue>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</")
		return strings.ReplaceAll(s, "<SignatureValue></", "<SignatureValue>AAAA</")
	}
	big := strings.Repeat("<b k='1'>x</b>", 30_000)
	reference := `<Reference URI=""><DigestMethod Algorithm="` + xmlenc + `sha256"/><DigestValue></DigestValue></Reference>`
	many := strings.Replace(signatureOver("", "", "", ""), "</SignedInfo>", strings.Repeat(reference, 900)+"</SignedInfo>", 1)
	chain := ""
	for i := range 8 {
		chain += transformTo([]string{C14N, Exclusive}[i%2], "")
	}
	long := strings.Repeat("n", 1_000_000)
	for name, document := range map[string]string{
		"a thousand references to much":       "<a>" + big + many + "</a>",
		"a hundred signatures over much":      "<a>" + big + strings.Repeat(signatureOver("", "", transformTo(enveloped, ""), ""), 100) + "</a>",
		"many signatures":                     "<a>" + strings.Repeat(signatureOver("", "", "", ""), 101) + "</a>",
		"many transforms":                     "<a>" + big + signatureOver("", "", chain, "") + "</a>",
		"a namespace written again and again": `<a xmlns:p="urn:` + long + `">` + strings.Repeat("<p:b/>", 20_000) + signatureOver("", "", transformTo(Exclusive, ""), "") + "</a>",
		"a dear expression":                   "<a>" + big + signatureOver("", "", transformTo(xpathFilter2, `<XPath xmlns="`+xpathFilter2+`" Filter="subtract">//*[count(//*) > count(following-sibling::*)]</XPath>`), "") + "</a>",
		"a dear expression at every node":     "<a>" + big + signatureOver("", "", transformTo(xpathFilter, `<XPath>count(ancestor-or-self::a//b) > 1</XPath>`), "") + "</a>",
		"scattered nodes":                     `<a>` + strings.Repeat(strings.Repeat("<b>", 100)+"<c/>"+strings.Repeat("</b>", 100), 300) + signatureOver("", "", transformTo(xpathFilter, `<XPath>ancestor-or-self::c</XPath>`), "") + "</a>",
		"many alike elements":                 "<a>" + strings.Repeat("<x><y Id='y'/></x>", 1) + strings.Repeat("<y/>", 50_000) + signatureOver("#y", "", "", "") + "</a>",
		"many Ids":                            "<a>" + idElements(25_000) + many + "</a>",
		"many comments":                       "<a>" + strings.Repeat("<!---->", 100_000) + "x" + signatureOver("", "", transformTo(enveloped, ""), "") + "</a>",
		"deep":                                strings.Repeat("<a>", 255) + signatureOver("", "", transformTo(enveloped, ""), "") + strings.Repeat("</a>", 255),
	} {
		t.Run(name, func(t *testing.T) {
			begun := cputime.Used()
			got := verdict(t, []byte(filled(document)), Options{})
			if strings.HasPrefix(got, "ok") {
				t.Error(got)
			}
			if took := cputime.Used() - begun; took > 10*time.Second {
				t.Errorf("it took %v", took)
			} else {
				t.Logf("%v: %.60s", took, got)
			}
		})
	}
	if _, err := Parse([]byte("<a>" + strings.Repeat(signatureOver("", "", "", ""), 101) + "</a>")); jitsuin.KindOf(err) != jitsuin.Limited {
		t.Errorf("many signatures: %v", err)
	}
}

func idElements(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `<b Id="i%d"/>`, i)
	}
	return b.String()
}
