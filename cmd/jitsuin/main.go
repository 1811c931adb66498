// Command jitsuin is the public personal authentication system (公的個人認証サービス) as one program:
// it runs a country or one actor of it, uses cards, and verifies signatures. The files here turn
// flags into calls; how it speaks with people is package internal/ui.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jitsuin/jitsuin/cmd/jitsuin/internal/ui"
	"github.com/jitsuin/jitsuin/internal/metrics"
)

// version is set by the linker (-X main.version=…).
var version = "dev"

// grace is how long a command that was interrupted may take to end cleanly, unless a second signal
// ends it at once.
const grace = 15 * time.Second

func main() { os.Exit(program()) }

func program() int {
	ctx, end := context.WithCancel(context.Background())
	defer end()
	signals := make(chan os.Signal, 2) // the second may come before the first was looked at
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		end()
		select {
		case <-signals:
		case <-time.After(grace):
		}
		os.Exit(130)
	}()
	metrics.SetVersion(version)
	return run(ctx, ui.New(ctx, os.Stdin, os.Stdout, os.Stderr, os.Getenv), os.Args[1:])
}
