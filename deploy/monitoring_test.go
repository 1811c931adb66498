// Package deploy has no code: its tests ask promtool about the rules, and a running country whether
// every figure that rules, dashboards and runbooks speak of exists.
package deploy

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/jitsuin/jitsuin/country"
)

// promtool runs the judge; without it the test is skipped loudly, in CI it fails.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		message := "NOT JUDGED: promtool is not installed (Debian package prometheus)"
		if os.Getenv("CI") == "true" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Fatalf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func alerts(t *testing.T) (all []rule) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(read(t, "prometheus/alerts.yml"), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) < 30 {
		t.Fatalf("only %d alerts were read", len(all))
	}
	return all
}

// dashboards gives the expressions of each dashboard.
func dashboards(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("grafana/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no dashboards", err)
	}
	all := map[string][]string{}
	for _, f := range files {
		var board struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(read(t, f), &board); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		for _, p := range board.Panels {
			if len(p.Targets) == 0 {
				t.Errorf("%s: the panel %q asks nothing", f, p.Title)
			}
			for _, q := range p.Targets {
				all[f] = append(all[f], strings.NewReplacer("$__rate_interval", "5m", "$actor", ".*").Replace(q.Expr))
			}
		}
	}
	return all
}

func TestPromtoolAcceptsRulesAndConfiguration(t *testing.T) {
	promtool(t, "check", "config", "prometheus/prometheus.yml")
	promtool(t, "check", "rules", "prometheus/alerts.yml")
}

// Each alert fires for who is in trouble and for nobody else, and not before its time.
func TestAlertsFireWhenTheyShould(t *testing.T) {
	promtool(t, "test", "rules", "prometheus/alerts_test.yml")
}

func TestEveryAlertIsTestedBothWays(t *testing.T) {
	type asked struct {
		Alertname string `yaml:"alertname"`
		Expected  []any  `yaml:"exp_alerts"`
	}
	var file struct {
		Tests []struct {
			Asked []asked `yaml:"alert_rule_test"`
		}
	}
	if err := yaml.Unmarshal(read(t, "prometheus/alerts_test.yml"), &file); err != nil {
		t.Fatal(err)
	}
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, c := range file.Tests {
		for _, a := range c.Asked {
			map[bool]map[string]bool{true: fires, false: quiet}[len(a.Expected) > 0][a.Alertname] = true
		}
	}
	for _, a := range alerts(t) {
		if !fires[a.Alert] || !quiet[a.Alert] {
			t.Errorf("%s: seen to fire %v, to be quiet %v", a.Alert, fires[a.Alert], quiet[a.Alert])
		}
	}
}

// promtool reads the expressions of dashboards as if they were recording rules.
func TestPromtoolAcceptsTheQueriesOfDashboards(t *testing.T) {
	type recording struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var all []recording
	for _, queries := range dashboards(t) {
		for _, q := range queries {
			all = append(all, recording{fmt.Sprintf("query:%d", len(all)), q})
		}
	}
	raw, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboards", "rules": all}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "queries.yml")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", path)
}

var sections = []string{"## What it means", "## Who notices", "## What to do", "## How to know it is over"}

func TestEveryAlertHasARunbookAndEveryRunbookAnAlert(t *testing.T) {
	const base = "https://github.com/jitsuin/jitsuin/blob/main/docs/runbooks/"
	pages := map[string]bool{}
	index := string(read(t, "../docs/runbooks/README.md"))
	for _, a := range alerts(t) {
		if s := a.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s has the severity %q", a.Alert, s)
		}
		for _, what := range []string{"summary", "description"} {
			if !strings.HasSuffix(a.Annotations[what], ".") {
				t.Errorf("%s: its %s is no sentence: %q", a.Alert, what, a.Annotations[what])
			}
		}
		name, ok := strings.CutPrefix(a.Annotations["runbook_url"], base)
		if !ok {
			t.Errorf("%s has the runbook %q", a.Alert, a.Annotations["runbook_url"])
			continue
		}
		pages[name] = true
		page := string(read(t, "../docs/runbooks/"+name))
		if !strings.HasPrefix(page, "# "+a.Alert+"\n\nSeverity: "+a.Labels["severity"]+".") {
			t.Errorf("%s is not the page of %s", name, a.Alert)
		}
		at := 0
		for _, s := range sections {
			n := strings.Index(page[at:], "\n"+s+"\n\n")
			if n < 0 || len(strings.TrimSpace(page[at+n+len(s)+3:])) < 20 {
				t.Errorf("%s lacks %q, or has it elsewhere", name, s)
				break
			}
			at += n
		}
		if !strings.Contains(index, "| "+a.Labels["severity"]+" | ["+a.Alert+"]("+name+")") {
			t.Errorf("%s is not in the list of runbooks", a.Alert)
		}
	}
	files, err := filepath.Glob("../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, f := range files {
		if name := filepath.Base(f); name != "README.md" && !pages[name] {
			t.Errorf("%s belongs to no alert", name)
		}
		for _, m := range link.FindAllStringSubmatch(string(read(t, f)), -1) {
			if _, err := os.Stat(filepath.Join("../docs/runbooks", m[1])); err != nil {
				t.Errorf("%s leads to %s, which is not there", f, m[1])
			}
		}
	}
}

// The example of a configuration names the actors of `jitsuin up` and where each shows its figures.
func TestPrometheusFindsTheActorsOfTheCountry(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the example is for Linux, where each actor has an address of its own")
	}
	f, facts, err := country.Open(country.Options{Data: filepath.Join(t.TempDir(), "data"), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, id := range country.Configured(facts) {
		s, err := country.ReadSettings(f.ConfigPath(id))
		if err != nil {
			t.Fatal(err)
		}
		want[id] = s.Metrics
	}
	var file struct {
		Scrape []struct {
			Job    string `yaml:"job_name"`
			Static []struct {
				Targets []string
				Labels  struct{ Actor, Role string }
			} `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal(read(t, "prometheus/prometheus.yml"), &file); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range file.Scrape[0].Static {
		role, _, _ := strings.Cut(s.Labels.Actor, ":")
		if s.Labels.Role != role || len(s.Targets) != 1 {
			t.Errorf("%+v", s)
		}
		got[s.Labels.Actor] = s.Targets[0]
	}
	if file.Scrape[0].Job != "jitsuin" || !maps.Equal(got, want) {
		t.Errorf("prometheus.yml has %v,\nthe country %v", got, want)
	}
}

var figureName = regexp.MustCompile(`\bjitsuin_[a-z0-9_]+`)

// spokenOf gives every figure that rules, dashboards and runbooks name, with where.
func spokenOf(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	take := func(where, text string) {
		for _, name := range figureName.FindAllString(text, -1) {
			names[name] = where
		}
	}
	for _, a := range alerts(t) {
		take("alert "+a.Alert, a.Expr)
	}
	for f, queries := range dashboards(t) {
		for _, q := range queries {
			take(f, q)
		}
	}
	files, _ := filepath.Glob("../docs/runbooks/*.md")
	for _, f := range files {
		take(f, string(read(t, f)))
	}
	if len(names) < 40 {
		t.Fatalf("only %d figures were found", len(names))
	}
	return names
}

// get reads a page of the country.
func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	var b strings.Builder
	if _, err := copyTo(&b, resp.Body); err != nil {
		t.Error(err)
	}
	return resp.StatusCode, b.String()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
