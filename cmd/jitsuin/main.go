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
)

// version is set by the linker (-X main.version=…).
var version = "dev"

// grace is how long a command that was interrupted may take to end cleanly.
const grace = 15 * time.Second

func main() { os.Exit(program()) }

func program() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() {
		stop() // a second signal ends at once
		time.Sleep(grace)
		os.Exit(130)
	})
	return run(ctx, ui.New(ctx, os.Stdin, os.Stdout, os.Stderr, os.Getenv), os.Args[1:])
}
