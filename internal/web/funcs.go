package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
)

// funcs are the functions of every template.
//
//	{{t "firm.open.title"}}              a text; {{t "k" "name" .Name}} fills its {name}
//	{{date .Date}} {{time .Time}}        令和8年11月23日 / 2026-11-23; the time with seconds, JST
//	{{asset "base.css"}}                 the path of a file of assets/
//	{{act}}                              a hidden field that makes a form take effect once, see ActOf
//	{{form .Data.Form}} {{field .Data.Form "name"}} {{problems .Data.Form}}
//	{{dict "a" 1 "b" 2}}                 a map, for templates that take several values
func (s *Site) funcs(l Lang) template.FuncMap {
	return template.FuncMap{
		"t":     func(key string, pairs ...any) string { return Text(l, key, pairs...) },
		"has":   Has,
		"pick":  func(p Pair) string { return p.In(l) },
		"date":  func(d jitsuin.Date) string { return DateText(l, d) },
		"time":  func(t time.Time) string { return TimeText(l, t) },
		"iso":   func(t time.Time) string { return t.In(jitsuin.JST).Format(time.RFC3339) },
		"asset": s.asset,
		"act": func() template.HTML {
			return template.HTML(`<input type="hidden" name="act" value="` + string(jitsuin.NewID()) + `">`)
		},
		"dict":     dict,
		"join":     strings.Join,
		"form":     func(f *Form) formView { return formView{f, l} },
		"field":    func(f *Form, name string) (fieldView, error) { return f.view(name, l) },
		"problems": func(f *Form) formView { return formView{f, l} },
	}
}

func (s *Site) asset(name string) (string, error) {
	link, ok := s.links[name]
	if !ok {
		return "", fmt.Errorf("there is no asset %q", name)
	}
	return link, nil
}

func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict takes names and values in pairs")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return m, nil
}

// DateText writes a date in both calendars, as real forms show it: 令和8年11月23日（2026-11-23）; in English
// "2026-11-23 (Reiwa 8)". No date is a dash.
func DateText(l Lang, d jitsuin.Date) string {
	if d.IsZero() {
		return "–"
	}
	e, err := rules.InEra(d)
	if err != nil {
		return d.String()
	}
	if l == EN {
		return fmt.Sprintf("%s (%s %d)", d, e.Era.Romaji, e.Year)
	}
	return fmt.Sprintf("%s（%s）", e, d)
}

// TimeText writes a time in Japan with seconds: 2026-11-23 09:15:00. No time is a dash.
func TimeText(_ Lang, t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(jitsuin.JST).Format("2006-01-02 15:04:05")
}
