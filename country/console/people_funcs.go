package console

import (
	"html/template"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country/people"
	"github.com/jitsuin/jitsuin/internal/web"
)

// peopleFuncs are what the templates of residents, acts and certificates have beyond those of every page.
func (c *Console) peopleFuncs() template.FuncMap {
	return template.FuncMap{
		"townName": townName,
		"townCode": func(l web.Lang, code jitsuin.MunicipalityCode) string { return c.townText(l, string(code)) },
		"faceAlt":  faceAlt,
		"list":     func(words ...string) []string { return words },
		"lasted":   func(d time.Duration) int { return int(d.Seconds()) },
	}
}

// townName writes a municipality's name in a language.
func townName(l web.Lang, m people.Municipality) string {
	if l == web.EN {
		return m.Romaji
	}
	return m.Name
}

// townText writes the name of the municipality with a code, or the code where it is unknown.
func (c *Console) townText(l web.Lang, code string) string {
	if c.desk != nil {
		if m, ok := c.desk.townOf(jitsuin.MunicipalityCode(code)); ok {
			return townName(l, m)
		}
	}
	return code
}
