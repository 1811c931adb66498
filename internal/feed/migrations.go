package feed

import (
	"embed"
	"io/fs"

	"github.com/jitsuin/jitsuin/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Tables is the option of store.Open that adds the tables of senders and readers.
func Tables() store.Option {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		sub = migrations // cannot happen: the folder is embedded; goose would find no file and say so
	}
	return store.Also("feed", sub)
}
