package client_test

import (
	"context"
	"database/sql"
	"net/http"

	"github.com/jitsuin/jitsuin/client"
)

// books are a relying party's own: an event's effect and its id are one commit, so whatever comes twice has its effect once.
type books struct{ db *sql.DB }

func (b books) handle(ctx context.Context, e client.Event) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	added, err := tx.ExecContext(ctx, `INSERT INTO had (id, cursor) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`, string(e.ID), e.Cursor)
	if err != nil {
		return err
	}
	if n, err := added.RowsAffected(); err != nil || n == 0 {
		return err // had before
	}
	// … the effect, with tx …
	return tx.Commit()
}

// The address at which a relying party takes pushed events.
func ExampleWebhook() {
	serve := func(c *client.Client, b books) error {
		http.Handle("POST /jitsuin-events", c.Webhook(client.NewSeenInMemory(100_000), b.handle))
		_, err := c.SetWebhook(context.Background(), "", "https://bank.example/jitsuin-events") // once it is being served
		return err
	}
	_ = serve
}

// The same events by polling; a program may do both.
func ExampleClient_Events() {
	poll := func(ctx context.Context, c *client.Client, b books, cursor string) error {
		return c.Events(ctx, cursor, b.handle)
	}
	_ = poll
}
