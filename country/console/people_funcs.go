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
		"portrait": portrait,
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

// The colours of invented portraits: of skin, clothes and hair.
var portraitColours = [3][4]string{{"#f0d5be", "#e6c3a5", "#f5dcc8", "#dcb391"}, {"#4f6d8f", "#6b5b7b", "#5b7b62", "#8a6d55"}, {"#2b2b2b", "#4a3728", "#3a3a45", "#6b6b6b"}}

// portrait gives a colour of a part (0 skin, 1 clothes, 2 hair) of a resident's invented portrait. It follows from
// their id, so that a person always looks the same.
func portrait(subject jitsuin.ID, part int) string {
	if len(subject) < 3 || part < 0 || part > 2 {
		return "#888888"
	}
	return portraitColours[part][subject[part]%4]
}
