package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/jitsuin/jitsuin/internal/audit"
	"github.com/jitsuin/jitsuin/internal/store"
	minister "github.com/jitsuin/jitsuin/minister/api"
	"github.com/jitsuin/jitsuin/rules"
)

// criteriaOf tells which criteria a line is evidence for, besides that there is a log.
func criteriaOf(l audit.Line) (keys []string) {
	begins := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(l.Act, w) })
	}
	switch {
	case l.Act == "access-refused", begins("login-refused"):
		keys = append(keys, rules.CriterionIntrusion)
	case begins("accreditation-", "application-", "notification-"):
		keys = append(keys, rules.CriterionResponsible)
	case begins("audit-"):
		keys = append(keys, rules.CriterionAudit)
	case begins("record", "evidence-"):
		keys = append(keys, rules.CriterionPurpose)
	case begins("tenant-", "adapter-token-"):
		keys = append(keys, rules.CriterionSecrecy)
	}
	if begins("person-", "invitation-", "session-", "proposal-", "role") || l.Reason != "" && !begins("accreditation-") {
		keys = append(keys, rules.CriterionOperators)
	}
	return keys
}

// intrusion: who was turned away, and how the platform was set up.
func (p *packing) intrusion(context.Context) error {
	if err := p.addLines(rules.CriterionIntrusion, "refusals.ndjson", "who was turned away, counted over minutes"); err != nil {
		return err
	}
	text, err := plainConfig(p.Config)
	if err != nil {
		return err
	}
	return p.Add(p.folders[rules.CriterionIntrusion], "configuration.yaml", "the platform's configuration when the pack was made, without secrets", text)
}

// plainConfig gives a configuration without what only the operator may know. Keys are files, so their names alone stand there.
func plainConfig(c Config) ([]byte, error) {
	if u, err := url.Parse(c.Database); err == nil && u.User != nil {
		u.User = url.User(u.User.Username())
		u.RawQuery = ""
		c.Database = u.String()
	}
	text, err := yaml.Marshal(c)
	if err != nil {
		return nil, err
	}
	var members yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(text, &members, yaml.UseOrderedMap()); err != nil {
		return nil, err
	}
	return yaml.Marshal(withoutSecrets(members))
}

func withoutSecrets(members yaml.MapSlice) (out yaml.MapSlice) {
	for _, m := range members {
		name := strings.ToLower(fmt.Sprint(m.Key))
		inner, nested := m.Value.(yaml.MapSlice)
		switch {
		case nested:
			m.Value = withoutSecrets(inner)
		case strings.Contains(name, "secret"), strings.Contains(name, "passphrase") && !strings.HasSuffix(name, "_file"),
			strings.Contains(name, "password"), strings.HasSuffix(name, "token"):
			m.Value = "***"
		}
		out = append(out, m)
	}
	return out
}

// rowsOf reads a table that may not be there: absent tells so. Times are microseconds in the database and RFC 3339 here, 0 is left out.
func (p *packing) rowsOf(ctx context.Context, query string, columns []string, args ...any) (rows []map[string]any, absent bool, err error) {
	err = p.DB.View(ctx, func(tx *store.Tx) error {
		rows, err = store.Collect(func(s store.Scanner) (map[string]any, error) {
			values, to := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				to[i] = &values[i]
			}
			if err := s.Scan(to...); err != nil {
				return nil, err
			}
			row := map[string]any{}
			for i, c := range columns {
				row[c] = shown(c, values[i])
			}
			return row, nil
		})(tx.Query(query, args...))
		return err
	})
	if err != nil && (strings.Contains(err.Error(), "no such table") || strings.Contains(err.Error(), "does not exist")) {
		return nil, true, nil
	}
	if rows == nil {
		rows = []map[string]any{}
	}
	return rows, false, err
}

// shown gives a column's value as a person reads it.
func shown(column string, v any) any {
	if b, ok := v.([]byte); ok {
		v = string(b)
	}
	if text, ok := v.(string); ok && (strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{")) && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	if n, ok := v.(int64); ok && (strings.HasSuffix(column, "_at") || column == "since") {
		if n == 0 {
			return nil
		}
		return store.Time(n).Format(time.RFC3339)
	}
	return v
}

// table adds a table as JSON, or says that there is none.
func (p *packing) table(ctx context.Context, criterion, name, what, query string, columns []string, args ...any) error {
	rows, absent, err := p.rowsOf(ctx, fmt.Sprintf(query, strings.Join(columns, ", ")), columns, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if absent {
		p.Lack(criterion, what, "this platform keeps no such table")
		return nil
	}
	return p.AddJSON(p.folders[criterion], name, what, rows)
}

// operators: who works here, what each may do, who was cut off when, what two people agreed on, what people did.
func (p *packing) operators(ctx context.Context) error {
	err := p.table(ctx, rules.CriterionOperators, "people.json", "the people of the office with their roles, and since when and until when they work here",
		`SELECT %s FROM office_person ORDER BY since, id`, []string{"id", "name", "roles", "since", "left_at"})
	if err != nil {
		return err
	}
	err = p.table(ctx, rules.CriterionOperators, "two-people.json", "what one person proposed and another decided, in the period",
		`SELECT %s FROM office_proposal WHERE made_at >= $1 AND made_at < $2 ORDER BY made_at, id`,
		[]string{"id", "act", "subject", "reason", "proposer", "made_at", "state", "decider", "decision", "decided_at"}, store.Micros(p.Period.From), store.Micros(p.Period.To))
	if err != nil {
		return err
	}
	return p.addLines(rules.CriterionOperators, "acts.ndjson", "acts of people of the office, logins among them, with terminal and reason")
}

// audits: the lines about audits, and how the minister's office examined the applications.
func (p *packing) audits(ctx context.Context) error {
	if err := p.addLines(rules.CriterionAudit, "audits.ndjson", "audits that were reported in the period"); err != nil {
		return err
	}
	if len(p.lines[rules.CriterionAudit]) == 0 {
		p.Lack(rules.CriterionAudit, "an audit that was reported", "no line of the period tells of one")
	}
	return nil
}

// tenants: on whose behalf the platform works, and since when they count as verifiers.
func (p *packing) tenants(ctx context.Context) error {
	rows, _, err := p.rowsOf(ctx, `SELECT id, name, deemed_since FROM tenants WHERE id <> '' ORDER BY id`, []string{"id", "name", "deemed_since"})
	if err != nil {
		return err
	}
	if err := p.AddJSON(p.folders[rules.CriterionSecrecy], "tenants.json", "the deemed verifiers (みなし署名検証者) and since when they are", rows); err != nil {
		return err
	}
	return p.addLines(rules.CriterionSecrecy, "tenant-acts.ndjson", "tenants registered, changed or closed in the period")
}

// records: what was made, read and destroyed of the records of the law.
func (p *packing) records(ctx context.Context) error {
	count := map[string]int{}
	for _, l := range p.lines[rules.CriterionPurpose] {
		count[l.Act]++
	}
	if err := p.AddJSON(p.folders[rules.CriterionPurpose], "records.json", "how many records were made, read, exported and destroyed in the period, by the log", count); err != nil {
		return err
	}
	if err := p.addLines(rules.CriterionPurpose, "record-acts.ndjson", "what was done to records in the period; none names a person"); err != nil {
		return err
	}
	return p.table(ctx, rules.CriterionPurpose, "destructions.json", "certificates of destruction of the period",
		`/* every tenant: an auditor is shown all destructions of the period */ SELECT %s FROM record_destructions WHERE destroyed_at >= $1 AND destroyed_at < $2 ORDER BY destroyed_at, id`,
		[]string{"id", "tenant", "record", "kind", "made_at", "kept_until", "rule", "law", "destroyed_at"}, store.Micros(p.Period.From), store.Micros(p.Period.To))
}

// responsible: who answers for the platform, the accreditation, and what was notified to J-LIS.
func (p *packing) responsible(ctx context.Context) error {
	folder := p.folders[rules.CriterionResponsible]
	rows, _, err := p.rowsOf(ctx, `SELECT body, notified FROM own_accreditation WHERE one = 1`, []string{"body", "notified"})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		p.Lack(rules.CriterionResponsible, "the accreditation", "the platform has never heard of one")
	}
	if err := p.AddJSON(folder, "accreditation.json", "the accreditation as it stood when the pack was made, and which one J-LIS was notified of", rows); err != nil {
		return err
	}
	if err := p.addLines(rules.CriterionResponsible, "accreditation-acts.ndjson", "what was heard of the accreditation in the period, and notifications filed with J-LIS"); err != nil {
		return err
	}
	return p.table(ctx, rules.CriterionResponsible, "applications.json", "applications for accreditation as the minister's office last told of them",
		`SELECT %s FROM own_application ORDER BY number`, []string{"id", "number", "state", "version", "body"})
}

// documents: the operator's own papers, which the file of the application names, criterion by criterion.
func (p *packing) documents(context.Context) error {
	request, err := readApplication(p.Config.Application, p.today)
	why := "the file that the configuration names as application has no document for it"
	if err != nil {
		why = err.Error()
		request = minister.ApplicationRequest{}
	} else if err := p.AddJSON(p.folders[rules.CriterionResponsible], "responsible.json", "who runs the platform, and the person responsible", request.Applicant); err != nil {
		return err
	}
	if err != nil {
		p.Lack(rules.CriterionResponsible, "the person responsible by name", why)
	}
	for _, c := range p.Manifest.Criteria {
		found := 0
		for _, item := range request.Items {
			if item.Criterion != c.Key {
				continue
			}
			if err := p.Add(c.Folder, "statement.txt", "how the operator says that the criterion is met", []byte(item.Statement+"\n")); err != nil {
				return err
			}
			for i, e := range item.Evidence {
				found++
				name := fmt.Sprintf("%02d-%s", i+1, safeName(e.Name))
				if e.Content == nil {
					p.Lack(c.Key, e.Name, "it lies at "+e.Location+" (SHA-256 "+e.SHA256+")")
					continue
				}
				if err := p.Add(path.Join(c.Folder, "documents"), name, e.Name, e.Content); err != nil {
					return err
				}
			}
		}
		if found == 0 {
			p.Lack(c.Key, "documents of the operator", why)
		}
	}
	return nil
}

// safeName gives a document's name as a file name.
func safeName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
}
