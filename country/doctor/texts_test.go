package doctor

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every code that the checks use has words in both languages, and every word belongs to a code.
func TestEveryFindingHasWords(t *testing.T) {
	used := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`p\.(?:well|note|wrong|once|say)\((?:map[^)]*\], )?"([a-z-]+)"`)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(raw), -1) {
			used[m[1]] = true
		}
	}
	for _, code := range []string{"journal-ahead", "journal-behind", "journal-differs", "journal-broken", "signer-missing", "signer-passphrase"} {
		used[code] = true // said by the error's own code
	}
	for code := range used {
		if _, ok := texts[code]; !ok {
			t.Errorf("%s has no words", code)
		}
	}
	for code, w := range texts {
		if !used[code] {
			t.Errorf("%s is never found", code)
		}
		if w.what.ja == "" || w.what.en == "" || (w.next.ja == "") != (w.next.en == "") {
			t.Errorf("%s lacks a language", code)
		}
		f := Finding{Level: Wrong, Code: code, Subject: "SUBJECT", args: []any{"one", "two", "three"}}
		for _, lang := range []string{"ja", "en"} {
			if line := f.Line(lang); strings.Contains(line, "%") || !strings.HasPrefix(line, "✕ SUBJECT: ") {
				t.Errorf("%s: %s", code, line)
			}
		}
	}
}

func TestReports(t *testing.T) {
	r := Report{{Well, "modes", "DATA", []any{3}}, {Well, "disk", "DATA", []any{9}}, {Note, "metrics-none", "jlis:1", nil}}
	if r.Wrong() || r.Summary("en") != "All is well (2 checks passed, 1 notes)." {
		t.Error(r.Summary("en"))
	}
	if l := r.Lines("en", false); len(l) != 2 || l[0].Text != "✓ DATA: 2 checks passed" || !strings.Contains(l[1].Text, "\n    → add metrics:") {
		t.Errorf("%q", l)
	}
	if l := r.Lines("ja", true); len(l) != 3 {
		t.Errorf("%q", l)
	}
	r = append(r, Finding{Wrong, "key-missing", "k.pem", []any{"jlis:1"}})
	if !r.Wrong() || r.Summary("ja") != "異常があります（確認 2、注意 1、異常 1）" {
		t.Error(r.Summary("ja"))
	}
	var out bytes.Buffer
	if err := r.WriteJSON(&out, "en"); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Wrong    bool
		Findings []map[string]string
	}
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || !back.Wrong || len(back.Findings) != 4 || back.Findings[3]["code"] != "key-missing" || back.Findings[0]["next"] != "" {
		t.Errorf("%v %s", err, &out)
	}
}
