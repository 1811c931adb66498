package status

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/jitsuin/jitsuin/cert"
)

// partition tells lists of one issuer apart that speak of different certificates: der is the value of the issuing
// distribution point (RFC 5280 §5.2.5), "" for a complete list, name what people call it.
type partition struct{ der, name string }

// partitionOf reads a list that cert.ParseCRL has accepted.
func partitionOf(c *cert.CRL) partition {
	value := scopeValue(c.RawTBS)
	if value == nil {
		return partition{}
	}
	name := pointName(value)
	if runes := []rune(name); len(runes) > maxPartitionName {
		name = string(runes[:maxPartitionName]) + "…"
	}
	return partition{string(value), name}
}

// scopeValue finds the extension in a TBSCertList: it is in the last field, tagged [0].
func scopeValue(tbs []byte) []byte {
	in := cryptobyte.String(tbs)
	var body, wrapped, exts cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		return nil
	}
	zero := cbasn1.Tag(0).ContextSpecific().Constructed()
	for !body.Empty() && !body.PeekASN1Tag(zero) {
		var skipped cryptobyte.String
		var tag cbasn1.Tag
		if !body.ReadAnyASN1Element(&skipped, &tag) {
			return nil
		}
	}
	if !body.ReadASN1(&wrapped, zero) || !wrapped.ReadASN1(&exts, cbasn1.SEQUENCE) {
		return nil
	}
	for !exts.Empty() {
		var ext, id, value cryptobyte.String
		if !exts.ReadASN1(&ext, cbasn1.SEQUENCE) || !ext.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) {
			return nil
		}
		if !bytes.Equal(id, []byte("\x55\x1d\x1c")) {
			continue
		}
		if !ext.SkipOptionalASN1(cbasn1.BOOLEAN) || !ext.ReadASN1(&value, cbasn1.OCTET_STRING) {
			return nil
		}
		return value
	}
	return nil
}

// pointName names the distribution point: its directory names (RFC 4514) and addresses, or what else the list is for.
func pointName(value []byte) string {
	in := cryptobyte.String(value)
	var body, point, full cryptobyte.String
	var present bool
	context := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific() }
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadOptionalASN1(&point, &present, context(0).Constructed()) {
		return "?"
	}
	var names []string
	if present && point.ReadASN1(&full, context(0).Constructed()) {
		for !full.Empty() {
			var one cryptobyte.String
			var tag cbasn1.Tag
			if !full.ReadAnyASN1(&one, &tag) {
				break
			}
			switch tag {
			case context(4).Constructed():
				names = append(names, nameOf(one))
			case context(6):
				names = append(names, string(one))
			}
		}
	}
	for n, word := range map[uint8]string{1: "end entities", 2: "authorities", 5: "attribute certificates"} {
		if body.PeekASN1Tag(context(n)) {
			names = append(names, word)
		}
	}
	if len(names) == 0 {
		return "?"
	}
	return strings.Join(names, ", ")
}

// nameOf writes a DER name as RFC 4514 does.
func nameOf(der []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return "(a name that cannot be read)"
	}
	return name.String()
}
