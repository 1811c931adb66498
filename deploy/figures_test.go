package deploy

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/country"
	"github.com/jitsuin/jitsuin/country/tour"
	"github.com/jitsuin/jitsuin/internal/freeport"
	"github.com/jitsuin/jitsuin/internal/store"
)

func copyTo(w io.Writer, r io.Reader) (int64, error) { return io.Copy(w, io.LimitReader(r, 16<<20)) }

// TestFiguresOfACountry plays the whole story in a country and then reads everybody's figures: those that
// are spoken of exist, promtool finds their names good, and nothing in them is about a person.
func TestFiguresOfACountry(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pages := map[string]string{}
	err = country.Up(ctx, country.Options{Data: dir, Seed: 1, Quick: true, Listen: fmt.Sprintf("127.0.0.1:%d", port),
		Log: slog.New(slog.DiscardHandler), Ready: func(f country.Folder) {
			defer cancel()
			ok, err := tour.Run(ctx, tour.Options{Data: dir, Out: filepath.Join(t.TempDir(), "evidence"), Soon: 10 * time.Second})
			if err != nil || !ok {
				t.Errorf("the story: %v, %v", ok, err)
				return
			}
			pages = readAll(t, f)
		}})
	if err != nil {
		t.Fatal(err)
	}
	if t.Failed() {
		return
	}
	all := strings.Join(values(pages), "\n")
	t.Run("every figure that is spoken of exists", func(t *testing.T) {
		have := map[string]bool{}
		for _, name := range figureName.FindAllString(all, -1) {
			have[name] = true
		}
		for name, where := range spokenOf(t) {
			if !have[name] {
				t.Errorf("%s speaks of %s, which nobody shows", where, name)
			}
		}
	})
	t.Run("promtool finds the names good", func(t *testing.T) {
		for _, id := range sortedKeys(pages) {
			lint(t, id, pages[id])
		}
	})
	t.Run("nothing is about a person", func(t *testing.T) { nothingPersonal(t, dir, all) })
	t.Run("what happened is counted", func(t *testing.T) {
		for id, line := range map[string]string{
			country.Platform: `jitsuin_platform_verdicts_total{sort="document",sub_indication="REVOKED",verdict="TOTAL-FAILED"} `,
			country.JLIS:     `jitsuin_jlis_ocsp_answers_total{result="revoked"} `,
			country.Cards:    `jitsuin_card_pin_tries_total{verdict="wrong"} `,
		} {
			if _, after, ok := strings.Cut(pages[id], line); !ok || strings.HasPrefix(after, "0") {
				t.Errorf("%s has not counted %s", id, line)
			}
		}
	})
}

// readAll reads the figures of every actor, and sees that they are not at its public origins.
func readAll(t *testing.T, f country.Folder) map[string]string {
	facts, err := f.Facts()
	if err != nil {
		t.Error(err)
		return nil
	}
	pages := map[string]string{}
	for _, id := range country.Configured(facts) {
		s, err := country.ReadSettings(f.ConfigPath(id))
		if err != nil {
			t.Error(err)
			continue
		}
		status, body := get(t, "http://"+s.Metrics+"/metrics")
		if status != 200 || !strings.Contains(body, `instance_id="`+id+`"`) {
			t.Errorf("%s shows no figures: %d", id, status)
		}
		pages[id] = body
		if n := strings.Count(body, "\njitsuin_"); n > 1500 {
			t.Errorf("%s shows %d lines: its labels are not bounded", id, n)
		}
		for _, address := range s.Listens {
			if status, body := get(t, "http://"+address+"/metrics"); status < 400 || strings.Contains(body, "jitsuin_") {
				t.Errorf("%s shows its figures to the public at %s (%d)", id, address, status)
			}
		}
		if status, _ := get(t, "http://"+s.Metrics+"/readyz"); status != 404 {
			t.Errorf("%s answers more than its figures at %s (%d)", id, s.Metrics, status)
		}
	}
	return pages
}

func values(m map[string]string) (all []string) {
	for _, k := range sortedKeys(m) {
		all = append(all, m[k])
	}
	return all
}

func lint(t *testing.T, id, page string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		promtool(t) // says so
	}
	c := exec.CommandContext(t.Context(), path, "check", "metrics")
	c.Stdin = strings.NewReader(page)
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics says of %s: %v %s", id, err, out)
	}
}

// label is one label with its value.
var label = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)

// nothingPersonal looks for everything that the residents' files and J-LIS's record have of people.
func nothingPersonal(t *testing.T, dir, figures string) {
	looked := 0
	never := func(what, value string) {
		if looked++; len(value) > 1 && strings.Contains(figures, value) {
			t.Errorf("the figures hold a %s: %s", what, value)
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "residents", "*.jsonl"))
	for _, f := range files {
		file, err := os.Open(f)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			var r map[string]any
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			items, _ := r["items"].(map[string]any)
			for _, what := range []string{"subject", "household", "my_number", "resident_code"} {
				never(what, fmt.Sprint(r[what]))
			}
			for _, what := range []string{"name", "address", "birth_date"} {
				never(what, fmt.Sprint(items[what]))
			}
		}
	}
	db, err := store.OpenReadOnly(t.Context(), filepath.Join(dir, "actors", "jlis-1", "db.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(t.Context(), func(tx *store.Tx) error {
		for _, query := range []string{`SELECT serial FROM certificate`, `SELECT id FROM application`, `SELECT id FROM card`} {
			ids, err := store.Collect(func(s store.Scanner) (v string, err error) { return v, s.Scan(&v) })(tx.Query(query))
			if err != nil {
				return err
			}
			for _, v := range ids {
				never("serial number or identifier", v)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if looked < 2000 {
		t.Fatalf("only %d values were looked for", looked)
	}
	long := regexp.MustCompile(`[0-9]{10,}|[0-9a-fA-F]{20,}`)
	for _, m := range label.FindAllStringSubmatch(figures, -1) {
		ascii := strings.IndexFunc(m[2], func(r rune) bool { return r > 0x7e }) < 0
		if !ascii || m[1] != "revision" && long.MatchString(m[2]) || len(m[2]) > 80 {
			t.Errorf("the label %s has the value %q", m[1], m[2])
		}
	}
}
