package read

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Text writes one line a fact, lists below their name. What a file brings along moves no cursor: control
// characters are written as escapes.
func (d *Document) Text(w io.Writer) error {
	for _, f := range d.Facts {
		name := strings.ReplaceAll(f.Name, "_", " ")
		if list, ok := f.Value.([]string); ok {
			if _, err := fmt.Fprintf(w, "%s:\n", name); err != nil {
				return err
			}
			for _, one := range list {
				if _, err := fmt.Fprintf(w, "  %s\n", plain(one)); err != nil {
					return err
				}
			}
			continue
		}
		if _, err := fmt.Fprintf(w, "%s: %s\n", name, plain(fmt.Sprint(valueOf(f)))); err != nil {
			return err
		}
	}
	return nil
}

func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

func valueOf(f Fact) any {
	if t, ok := f.Value.(time.Time); ok {
		return stamp(t)
	}
	return f.Value
}

// MarshalJSON gives an object with the members in their order, kind first.
func (d *Document) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, `{"kind":%q`, d.Kind)
	for _, f := range d.Facts {
		v, err := json.Marshal(valueOf(f))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, ",%q:%s", f.Name, v)
	}
	return []byte(b.String() + "}"), nil
}
