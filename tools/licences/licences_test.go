package licences

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWhatTheProgramIsLinkedFrom asks for the licences of the real program on two systems.
func TestWhatTheProgramIsLinkedFrom(t *testing.T) {
	all, err := Collect("../..", "./cmd/jitsuin", []Target{{"linux", "amd64"}, {"windows", "amd64"}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Write(&out, all); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"modernc.org/sqlite v1", "github.com/jackc/pgx/v5 v5", "Go standard library go1.", "github.com/hajimehoshi/ebiten/v2 v2",
		"M+ FONTS PROJECT", // the licence of a font that is linked lies in its package's folder
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the notices do not speak of %q", want)
		}
	}
	for _, never := range []string{"pgregory.net/rapid", "github.com/zmap/zlint", "honnef.co/go/tools"} {
		if strings.Contains(out.String(), never+" v") {
			t.Errorf("%s is not linked", never)
		}
	}
}

// What must not be linked is refused, with its name.
func TestRefused(t *testing.T) {
	r, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	mit, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	gpl := `This program is free software: you can redistribute it and/or modify
it under the terms of the GNU General Public License as published by
the Free Software Foundation, either version 3 of the License, or
(at your option) any later version.

This program is distributed in the hope that it will be useful,
but WITHOUT ANY WARRANTY; without even the implied warranty of
MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
GNU General Public License for more details.

You should have received a copy of the GNU General Public License
along with this program.  If not, see <http://www.gnu.org/licenses/>.`
	for name, c := range map[string]struct {
		files map[string]string
		why   string // "" where it passes
	}{
		"no text":                     {map[string]string{"README": "all rights reserved"}, "no licence was found"},
		"an unknown text":             {map[string]string{"LICENSE": "You may use this on Mondays, if the author agrees."}, "nobody recognises LICENSE"},
		"a known and an unknown text": {map[string]string{"LICENSE": string(mit), "LICENSE.data": "Ask first."}, "nobody recognises LICENSE.data"},
		"a copyleft":                  {map[string]string{"COPYING": gpl}, "GPL"},
		"one of two":                  {map[string]string{"LICENSE": string(mit), "LICENSE-extra": gpl}, "GPL"},
		"a known text":                {map[string]string{"LICENSE": string(mit)}, ""},
		"a survey of more":            {map[string]string{"LICENSE": string(mit), "LICENSE-3RD-PARTY.md": gpl}, ""},
	} {
		dir := t.TempDir()
		for f, content := range c.files {
			if err := os.WriteFile(filepath.Join(dir, f), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m, err := r.Read("example.org/"+name, "v1", dir, nil)
		switch {
		case c.why == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)):
			t.Errorf("%s: %v, %v", name, m.Licences, err)
		}
	}
}
