package actor

import (
	"context"
	"io/fs"

	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
)

// tables are what every actor's database has besides those of its package.
func tables() []store.Option {
	return []store.Option{feed.Tables(), store.Also("api", httpapi.Migrations()), store.Also("actor", ownMigrations())}
}

// Schema compares the schema of an actor's database with what this program knows.
func Schema(ctx context.Context, db *store.DB, own fs.FS) ([]store.Version, error) {
	return db.Schema(ctx, own, tables()...)
}

// KnownSchema tells how far this program's tables of an actor go.
func KnownSchema(own fs.FS) ([]store.Version, error) { return store.Known(own, tables()...) }
