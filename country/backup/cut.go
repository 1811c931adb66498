package backup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"modernc.org/sqlite"
)

// cut is one moment in several SQLite databases: each is open in a read transaction that began while
// none of them could commit.
type cut struct {
	handles []*sql.DB
	reading map[string]*sql.Conn // by path
	pause   time.Duration
}

// waitForWriters is how long a writer that holds a database may keep a backup waiting.
const waitForWriters = 10 * time.Second

// takeCut stops the writers of all databases, begins to read all of them, and lets the writers go on.
// They wait as long as pause says; readers never wait.
func takeCut(ctx context.Context, paths []string) (c *cut, err error) {
	c = &cut{reading: map[string]*sql.Conn{}}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	stop := map[string]*sql.Conn{}
	for _, p := range paths { // open first: it takes longer than what follows
		for _, into := range []map[string]*sql.Conn{stop, c.reading} {
			if into[p], err = c.open(ctx, p); err != nil {
				return c, err
			}
		}
	}
	held := []*sql.Conn{}
	release := func() {
		for _, h := range held {
			h.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") // it has changed nothing
		}
		held = nil
	}
	defer release()
	begun := time.Now()
	for _, p := range paths {
		if _, err := stop[p].ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return c, fmt.Errorf("hold %s for the cut: %w", p, err)
		}
		held = append(held, stop[p])
	}
	for _, p := range paths {
		var n int
		_, err := c.reading[p].ExecContext(ctx, "BEGIN")
		if err == nil {
			err = c.reading[p].QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_master").Scan(&n)
		}
		if err != nil {
			return c, fmt.Errorf("read %s: %w", p, err)
		}
	}
	release()
	c.pause = time.Since(begun)
	for _, p := range paths {
		stop[p].Close()
	}
	return c, nil
}

func (c *cut) open(ctx context.Context, path string) (*sql.Conn, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", fmt.Sprintf("file:%s?_busy_timeout=%d", (&url.URL{Path: path}).EscapedPath(), waitForWriters.Milliseconds()))
	if err != nil {
		return nil, err
	}
	c.handles = append(c.handles, db)
	return db.Conn(ctx)
}

// pagesAtOnce is how much is copied between two looks at the context.
const pagesAtOnce = 4096

// copy writes one database as of the cut into a new file.
func (c *cut) copy(ctx context.Context, path, to string) error {
	err := c.reading[path].Raw(func(conn any) error {
		source, ok := conn.(interface {
			NewBackup(string) (*sqlite.Backup, error)
		})
		if !ok {
			return errors.New("the SQLite driver has no backup")
		}
		b, err := source.NewBackup(to)
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if err = ctx.Err(); err == nil {
				more, err = b.Step(pagesAtOnce)
			}
		}
		return errors.Join(err, b.Finish())
	})
	if err != nil {
		return fmt.Errorf("copy %s: %w", path, err)
	}
	return os.Chmod(to, 0o600)
}

func (c *cut) close() {
	for _, conn := range c.reading {
		conn.Close()
	}
	for _, db := range c.handles {
		db.Close()
	}
}
