package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// migrate applies what is new in s. Processes that start together on one PostgreSQL database are
// kept apart by a row in a lock table (advisory locks do not exist everywhere); two processes on
// one SQLite file are not, so a failure is looked at once more: another may have done the work.
func (db *DB) migrate(ctx context.Context, s source) error {
	p, err := db.provider(s)
	if err != nil {
		return fmt.Errorf("read migrations for %s: %w", s.table, err)
	}
	for attempt := 0; ; attempt++ {
		if err = db.migrateOnce(ctx, p, s.table); err == nil || ctx.Err() != nil {
			return err
		}
		if attempt == 3 || jitsuin.CodeOf(err) == codeSchemaNewer {
			return err
		}
		pause(ctx, time.Duration(attempt+1)*50*time.Millisecond)
	}
}

const codeSchemaNewer = "schema-newer"

func (db *DB) migrateOnce(ctx context.Context, p *goose.Provider, table string) error {
	have, know, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version in %s: %w", table, err)
	}
	if have > know {
		return jitsuin.Errorf(jitsuin.Conflict, codeSchemaNewer,
			"the database's schema has version %d in %s, this program knows %d", have, table, know).
			WithHint("run the release that wrote this database, or a later one")
	}
	if have == know {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate %s: %w", table, err)
	}
	return nil
}

func (db *DB) provider(s source) (*goose.Provider, error) {
	opts := []goose.ProviderOption{
		goose.WithTableName(s.table),
		goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(slog.New(slog.DiscardHandler)),
	}
	if db.dialect == postgres {
		locker, err := lock.NewPostgresTableLocker(
			lock.WithTableName("schema_lock"), lock.WithTableLockTimeout(100*time.Millisecond, 600))
		if err != nil {
			return nil, err
		}
		opts = append(opts, goose.WithLocker(locker))
	}
	return goose.NewProvider(db.dialect.goose(), db.write, ddlFS{s.files, db.dialect.ddl()}, opts...)
}

// ddlFS gives files with the words of migrations replaced by the dialect's.
type ddlFS struct {
	fs.FS
	words *strings.Replacer
}

// Open opens a file; directories stay as they are.
func (d ddlFS) Open(name string) (fs.File, error) {
	f, err := d.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return f, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return &ddlFile{strings.NewReader(d.words.Replace(string(bytes.TrimSpace(text))) + "\n"), info}, nil
}

type ddlFile struct {
	*strings.Reader
	info fs.FileInfo
}

// Stat describes the file before replacement.
func (f *ddlFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close does nothing.
func (f *ddlFile) Close() error { return nil }
