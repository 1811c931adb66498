package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	minister "github.com/jitsuin/jitsuin/minister/api"
)

func TestTheApplicationsFileAndItsDocuments(t *testing.T) {
	t.Parallel()
	folder, today := t.TempDir(), jitsuin.Date{Year: 2026, Month: 6, Day: 1}
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const head = "name: 検証社\naddress: 市\nrepresentative: 代表\nresponsible: {name: 責任, post: 部長, contact: a@example}\nsystem: 二台\n"
	item := func(leaf string) string {
		return head + "items:\n  - criterion: audit\n    statement: 年1回\n    evidence: [" + leaf + "]\n"
	}
	write("plan.txt", "監査計画")
	write("large.pdf", strings.Repeat("x", minister.MaxDocument+1))
	r, err := readApplication(write("a.yaml", item("{name: 計画, file: plan.txt}, {name: 別, location: https://a.example/x, sha256: '00', bytes: 1, media_type: application/pdf}")), today)
	if err != nil || r.StartsOn != today || r.Responsible.Post != "部長" || len(r.Items) != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	e := r.Items[0].Evidence
	if string(e[0].Content) != "監査計画" || e[0].MediaType != "text/plain" || e[0].Bytes != 12 || len(e[0].SHA256) != 64 || e[1].Content != nil || e[1].Location == "" {
		t.Errorf("%+v", e)
	}
	for want, text := range map[string]string{
		"application-file":  item("{name: x, file: ../plan.txt}"),
		"application-file ": item("{name: x, file: missing.txt}"),
		"document-large":    item("{name: x, file: large.pdf}"),
		"application-read":  head + "itmes: []\n",
	} {
		if _, err := readApplication(write("b.yaml", text), today); jitsuin.CodeOf(err) != strings.TrimSpace(want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := readApplication("", today); jitsuin.CodeOf(err) != "application-not-configured" {
		t.Errorf("no application: %v", err)
	}
	if _, err := readApplication(filepath.Join(folder, "c.yaml"), today); jitsuin.CodeOf(err) != "application-read" {
		t.Errorf("no file: %v", err)
	}
}
