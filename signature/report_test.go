package signature_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/signature"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/internal/signtest"
)

var update = flag.Bool("update", false, "write the files of testdata anew")

// TestReportSchema holds the JSON form of the report to the published schema.
func TestReportSchema(t *testing.T) {
	registry := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	top := registry.Schema(reflect.TypeFor[signature.Report](), false, "Report")
	raw, err := json.Marshal(map[string]any{"$defs": registry.Map()})
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	all["$schema"], all["$ref"], all["title"] = "https://json-schema.org/draft/2020-12/schema", "#/$defs/Report", "Jitsuin verification report"
	got, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const path = "testdata/report.schema.json"
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("the report is no longer what %s promises; if that is meant, run this test with -update", path)
	}
	validate := func(r *signature.Report, change func(map[string]any)) []error {
		raw, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var value map[string]any
		if err := json.Unmarshal(raw, &value); err != nil {
			t.Fatal(err)
		}
		change(value)
		result := &huma.ValidateResult{}
		huma.Validate(registry, top, huma.NewPathBuffer([]byte{}, 0), huma.ModeReadFromServer, value, result)
		return result.Errors
	}
	for name, r := range samples(t) {
		for _, e := range validate(r, func(map[string]any) {}) {
			t.Errorf("%s: %v", name, e)
		}
		for what, change := range map[string]func(map[string]any){
			"another verdict": func(v map[string]any) { v["verdict"] = "FINE" },
			"no reasons":      func(v map[string]any) { delete(v, "reasons") },
			"a new member":    func(v map[string]any) { v["valid"] = true },
		} {
			if len(validate(r, change)) == 0 {
				t.Errorf("%s with %s still fits the schema, so the schema says nothing", name, what)
			}
		}
	}
}

// samples are reports of every verdict.
func samples(t *testing.T) map[string]*signature.Report {
	j := signtest.NewJPKI(t)
	der := detached(t, j.Sign)
	revoked := policy(j)
	revoked.Revocation = signtest.Status{Answer: cert.Status{State: cert.Revoked, Source: "crl", ThisUpdate: signtest.Now,
		RevokedAt: signtest.Now.Add(-time.Hour), Reason: "affiliationChanged"}}
	return map[string]*signature.Report{
		"passed":        report(t, der, document, policy(j)),
		"changed":       report(t, der, document[1:], policy(j)),
		"revoked":       report(t, der, document, revoked),
		"indeterminate": report(t, der, document, signature.Policy{At: signtest.Now}),
		"no content":    report(t, der, nil, policy(j)),
		"malformed":     report(t, nil, nil, policy(j)),
		"unsupported":   report(t, []byte("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"), nil, policy(j)),
	}
}

func TestReportKeepsTheSerialNumberApart(t *testing.T) {
	j := signtest.NewJPKI(t)
	r := report(t, detached(t, j.Sign), document, policy(j))
	serial := j.Sign.Certificate.SerialNumber.Text(16)
	full, _ := json.Marshal(r)
	public, err := json.Marshal(r.Public())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(full), serial) || strings.Contains(string(public), serial) {
		t.Error("the serial number belongs into the full report and not into the public one")
	}
	if r.Signatures[0].Signer.Restricted == nil {
		t.Error("making the public report changed the full one")
	}
}

// TestEveryFaultAndPathCodeLeadsSomewhere keeps the tables whole.
func TestEveryFaultAndPathCodeLeadsSomewhere(t *testing.T) {
	for _, f := range []cms.Fault{cms.FaultFormat, cms.FaultContent, cms.FaultNoContent, cms.FaultValue, cms.FaultSigner,
		cms.FaultReference, cms.FaultAmbiguous, cms.FaultForbidden, cms.FaultWeak, cms.FaultUnsupported} {
		if verdict, sub, reason := signature.OfFault(f); verdict == "" || verdict == signature.Passed || sub == "" || reason.JA == "" || reason.EN == "" {
			t.Errorf("fault %s: %s %s %+v", f, verdict, sub, reason)
		}
	}
	for _, code := range []cert.PathCode{cert.NoIssuer, cert.BadSignature, cert.Expired, cert.NotYetValid, cert.WrongKind, cert.BadUsage,
		cert.BadConstraints, cert.RevokedCode, cert.StatusUnknown, cert.StatusStale, cert.BadAlgorithm, cert.Malformed, "a code to come"} {
		for depth := range 3 {
			verdict, sub, reason := signature.OfPath(&cert.PathError{Code: code, Depth: depth})
			if verdict == "" || verdict == signature.Passed || sub == "" || reason.JA == "" || reason.EN == "" {
				t.Errorf("path %s at %d: %s %s %+v", code, depth, verdict, sub, reason)
			}
		}
	}
	signature.EachReason(func(r signature.Reason) {
		if r.JA == "" || r.EN == "" || strings.ContainsAny(r.EN, "。") || !strings.HasSuffix(r.JA, "。") || !strings.HasSuffix(r.EN, ".") {
			t.Errorf("reason %+v", r)
		}
	})
}
