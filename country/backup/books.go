package backup

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jitsuin/jitsuin"
)

// readBooks reads from a copied database which schemas it has and where its feeds stand.
func readBooks(ctx context.Context, path string, a *Actor) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?immutable=1&mode=ro")
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		return jitsuin.Errorf(jitsuin.Internal, "database-damaged", "the database of %s is damaged: %s %w", a.Instance, verdict, err)
	}
	a.Schemas, a.Sent, a.Read = map[string]int{}, map[string]jitsuin.Position{}, map[string]jitsuin.Position{}
	tables := map[string]bool{}
	err = each(ctx, db, `SELECT name FROM sqlite_master WHERE type = 'table'`, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		tables[name] = true
		return err
	})
	if err != nil {
		return err
	}
	for name := range tables {
		if !strings.HasPrefix(name, "schema_") {
			continue
		}
		var v int
		if err := db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM `+name).Scan(&v); err == nil {
			a.Schemas[name] = v
		}
	}
	if !tables["feed_heads"] {
		return nil
	}
	err = each(ctx, db, `SELECT topic, epoch, n FROM feed_heads`, func(scan func(...any) error) error {
		var topic string
		var p jitsuin.Position
		err := scan(&topic, &p.Epoch, &p.N)
		a.Sent[topic] = p
		return err
	})
	if err != nil {
		return err
	}
	return each(ctx, db, `SELECT source || ' ' || topic, epoch, n FROM feed_cursors`, func(scan func(...any) error) error {
		var feed string
		var p jitsuin.Position
		err := scan(&feed, &p.Epoch, &p.N)
		a.Read[feed] = p
		return err
	})
}

func each(ctx context.Context, db *sql.DB, query string, row func(scan func(...any) error) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// journalName is the CA's journal of signatures, in the state folder.
var journalName = filepath.Join("signer", "signatures.jsonl")

// readJournal reads where the journal of signatures ends, where there is one.
func readJournal(state string, a *Actor) error {
	f, err := os.Open(filepath.Join(state, journalName))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	for in := bufio.NewReader(f); ; {
		raw, err := in.ReadBytes('\n')
		if err != nil {
			return nil // the rest was cut short and never answered
		}
		var l struct {
			Epoch   uint32
			Counter uint64
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			return fmt.Errorf("journal of signatures: %w", err)
		}
		a.Signatures, a.Epoch = l.Counter, l.Epoch
	}
}
