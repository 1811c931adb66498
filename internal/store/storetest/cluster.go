package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// keeper runs PostgreSQL and ends it when its standard input closes. The test process holds the
// other end and never closes it, so the cluster goes away with the process, however that ends.
const keeper = `
"$BIN/postgres" -D "$DIR/data" -k "$DIR" -c listen_addresses="" \
  -c fsync="$FSYNC" -c full_page_writes="$FSYNC" -c max_connections=200 -c shared_buffers=64MB \
  -c log_min_messages=warning >"$DIR/log" 2>&1 </dev/null &
server=$!
read end
kill -QUIT $server
wait $server
cd / && rm -rf "$DIR"
`

// cluster is a running server: the URL of its database postgres, and for a private one the pipe
// that must stay reachable, since the garbage collector would close it.
type cluster struct {
	url  string
	hold io.Closer
}

// startCluster makes a cluster in a temporary folder of its own, reached through a unix socket in
// that folder alone. It does not sync to disk unless JITSUIN_TEST_POSTGRES_FSYNC is set.
func startCluster() (c cluster, err error) {
	bin, err := binaries()
	if err != nil {
		return c, err
	}
	who, err := account()
	if err != nil {
		return c, err
	}
	dir, err := os.MkdirTemp("/tmp", "jitsuin-pg-") // short: a socket's path has a limit of 107 bytes
	if err != nil {
		return c, err
	}
	if who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			return c, err
		}
	}
	attr := func(cmd *exec.Cmd) *exec.Cmd {
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setsid: true}
		return cmd
	}
	initdb := attr(exec.Command(filepath.Join(bin, "initdb"), "-D", dir+"/data", "-U", "jitsuin",
		"--auth-local=trust", "--auth-host=reject", "--no-sync", "--no-locale", "-E", "UTF8"))
	if out, err := initdb.CombinedOutput(); err != nil {
		return c, errors.Join(fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out)), os.RemoveAll(dir))
	}
	fsync := "off"
	if os.Getenv("JITSUIN_TEST_POSTGRES_FSYNC") != "" {
		fsync = "on"
	}
	keep := attr(exec.Command("/bin/sh", "-c", keeper))
	keep.Env = append(os.Environ(), "BIN="+bin, "DIR="+dir, "FSYNC="+fsync)
	hold, err := keep.StdinPipe()
	if err != nil {
		return c, err
	}
	if err := keep.Start(); err != nil {
		return c, fmt.Errorf("start PostgreSQL: %w", err)
	}
	url := fmt.Sprintf("postgres://jitsuin@/postgres?host=%s", dir)
	if err := awaitServer(url); err != nil {
		log, _ := os.ReadFile(dir + "/log")
		return c, errors.Join(fmt.Errorf("PostgreSQL did not start: %w: %s", err, log), hold.Close())
	}
	return cluster{url, hold}, nil
}

func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		return "", errors.New("no PostgreSQL in /usr/lib/postgresql (hint: apt install postgresql)")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// account gives whom to run as: PostgreSQL refuses to run as root. nil is the present user.
func account() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("root cannot run PostgreSQL and there is no user postgres or nobody")
}

func awaitServer(url string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer db.Close()
	for range 300 {
		if err = db.PingContext(context.Background()); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}
