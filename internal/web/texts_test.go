package web

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// sources reads every file of the tree with one of the endings, the tests left out.
func sources(t *testing.T, endings ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	top := filepath.Join("..", "..")
	err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == ".cache" || d.Name() == "testdata" || d.Name() == "dist" || d.Name() == "tools") {
			return filepath.SkipDir
		}
		for _, e := range endings {
			if strings.HasSuffix(p, e) && !strings.HasSuffix(p, "_test.go") {
				raw, err := os.ReadFile(p)
				if err != nil {
					return err
				}
				all[filepath.ToSlash(strings.TrimPrefix(p, top+string(filepath.Separator)))] = string(raw)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	// Templates named …-state are attributes, which nobody reads.
	attributes = regexp.MustCompile(`(?s)\{\{define "[a-z-]+-state"\}\}.*?\n\n`)
	actions    = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	notWords   = regexp.MustCompile(`(?s)<(script|style|code|kbd)[^>]*>.*?</(script|style|code|kbd)>`)
	tags       = regexp.MustCompile(`(?s)<[^>]*>`)
	shown      = regexp.MustCompile(`\b(aria-label|title|alt|placeholder)="([^"{]+)"`)
	dt         = regexp.MustCompile(`(?s)<dt>[a-z ]+</dt>`) // names of members, for developers
	asked      = regexp.MustCompile(`\bt "([a-z0-9.-]+)"`)
)

// What a page says stands in the catalogue and nowhere else: a template has no words of its own.
func TestTemplatesHaveNoWordsOfTheirOwn(t *testing.T) {
	pages := 0
	for name, text := range sources(t, ".html") {
		if !strings.Contains(name, "templates/") {
			continue
		}
		pages++
		for _, m := range asked.FindAllStringSubmatch(text, -1) {
			if !Has(m[1]) {
				t.Errorf("%s: the catalogue has no text %s", name, m[1])
			}
		}
		bare := actions.ReplaceAllString(attributes.ReplaceAllString(text, ""), "")
		for _, m := range shown.FindAllStringSubmatch(bare, -1) {
			t.Errorf("%s: %s=%q is no text of the catalogue", name, m[1], m[2])
		}
		bare = tags.ReplaceAllString(notWords.ReplaceAllString(dt.ReplaceAllString(bare, ""), ""), " ")
		for _, word := range strings.Fields(bare) {
			if letters := strings.IndexFunc(word, unicode.IsLetter); letters >= 0 && !strings.HasPrefix(word, "&") && len([]rune(word)) > 1 && !known[word] {
				t.Errorf("%s: the words %q stand in the template", name, word)
			}
		}
	}
	if pages < 2 {
		t.Fatalf("only %d templates: the test does not see them", pages)
	}
}

// known are words that are the same in both languages.
var known = map[string]bool{"JST": true, "OCSP": true, "CRL": true, "PDF": true, "DER": true, "PEM": true, "OID": true, "JSON": true, "APDU": true, "SHA-256": true, "CMS": true}

// Japanese stands in the code only where it is no text of a page: names of the law, of forms and of people.
func TestNoTextIsForgotten(t *testing.T) {
	var all strings.Builder
	for _, text := range sources(t, ".go", ".html", ".js") {
		all.WriteString(text)
	}
	code := all.String()
	stems := regexp.MustCompile(`"([a-z0-9-]+\.(?:[a-z0-9-]+[.-])*)(?:%s[^"]*)?"`).FindAllStringSubmatch(code, -1)
	for key := range Catalogue() {
		used := strings.Contains(code, `"`+key+`"`) || strings.Contains(code, "`"+key+"`") || strings.HasPrefix(key, "errors.")
		for _, s := range stems {
			used = used || strings.HasPrefix(key, s[1])
		}
		if !used {
			t.Errorf("no page says %s", key)
		}
	}
}
