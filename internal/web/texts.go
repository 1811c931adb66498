package web

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

// Lang is a language of the pages.
type Lang string

const (
	JA Lang = "ja"
	EN Lang = "en"
)

// Other gives the other language.
func (l Lang) Other() Lang {
	if l == EN {
		return JA
	}
	return EN
}

// Pair is one text in both languages. {name} in it is replaced by what the page gives under that name.
type Pair struct {
	JA string `yaml:"ja"`
	EN string `yaml:"en"`
}

// In gives the text in a language.
func (p Pair) In(l Lang) string {
	if l == EN {
		return p.EN
	}
	return p.JA
}

//go:embed texts/*.yaml
var textFiles embed.FS

// Catalogue gives every text of every page by its key, such as "firm.open.title". The files in texts/ are
// one a room; a key begins with its file's name.
var Catalogue = sync.OnceValue(func() map[string]Pair {
	all, err := readTexts(textFiles)
	if err != nil {
		panic(err) // the files are compiled in, and a test reads them
	}
	return all
})

func readTexts(files fs.FS) (map[string]Pair, error) {
	names, err := fs.Glob(files, "texts/*.yaml")
	if err != nil {
		return nil, err
	}
	all := map[string]Pair{}
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		var pairs map[string]Pair
		if err := yaml.UnmarshalWithOptions(raw, &pairs, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, true))
		}
		room := strings.TrimSuffix(path.Base(name), ".yaml")
		for key, p := range pairs {
			switch {
			case !strings.HasPrefix(key, room+"."):
				return nil, fmt.Errorf("%s: the key %q does not begin with %q", name, key, room+".")
			case p.JA == "" || p.EN == "":
				return nil, fmt.Errorf("%s: %q lacks one of its languages", name, key)
			case !sameNames(p):
				return nil, fmt.Errorf("%s: the two languages of %q have different {names}", name, key)
			}
			all[key] = p
		}
	}
	return all, nil
}

func sameNames(p Pair) bool {
	return strings.Join(placeholders(p.JA), " ") == strings.Join(placeholders(p.EN), " ")
}

// placeholders lists the {names} of a text, sorted, each once.
func placeholders(s string) []string {
	seen := map[string]bool{}
	for {
		_, rest, ok := strings.Cut(s, "{")
		if !ok {
			break
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			break
		}
		seen[name], s = true, after
	}
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Has tells whether the catalogue has a text.
func Has(key string) bool { _, ok := Catalogue()[key]; return ok }

// Text gives a text of the catalogue in a language; pairs are name and value in turn. A key that the
// catalogue lacks panics: a test renders every page.
func Text(l Lang, key string, pairs ...any) string {
	p, ok := Catalogue()[key]
	if !ok {
		panic("the catalogue has no text " + key)
	}
	if len(pairs)%2 != 0 {
		panic("text " + key + ": names and values come in pairs")
	}
	s := p.In(l)
	if len(pairs) == 0 {
		return s
	}
	old := make([]string, 0, len(pairs))
	for i := 0; i < len(pairs); i += 2 {
		old = append(old, "{"+fmt.Sprint(pairs[i])+"}", fmt.Sprint(pairs[i+1]))
	}
	return strings.NewReplacer(old...).Replace(s)
}
