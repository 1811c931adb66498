package country

import (
	"context"
	"log/slog"
	"strings"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
)

// Serve runs one actor alone, with the same code as Up, until ctx ends. role must be that of the
// configuration, or ""; pages are for country:1. Under a service manager it takes the sockets that were
// handed over, and tells when it is ready and when it ends (sd_notify(3), Type=notify).
func Serve(ctx context.Context, role, configPath string, log *slog.Logger, pages Pages) error {
	instance, err := CheckConfig(configPath, role)
	if err != nil {
		return err
	}
	a, err := openActor(ctx, instance, configPath, log, pages)
	if err != nil {
		return err
	}
	if err := listen(ctx, a, configPath); err != nil {
		a.Close()
		return err
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		select {
		case <-a.Started():
			notify(log, daemon.SdNotifyReady)
			<-ctx.Done()
			notify(log, daemon.SdNotifyStopping)
		case <-ctx.Done():
		}
	}()
	err = a.Run(ctx)
	if ctx.Err() != nil {
		<-told
	}
	return err
}

// listen takes the actor's addresses, and refuses sockets that belong to none of them.
func listen(ctx context.Context, a runner, configPath string) error {
	if err := a.Listen(ctx); err != nil {
		return err
	}
	if left := actor.Unclaimed(); len(left) > 0 {
		return jitsuin.Errorf(jitsuin.Invalid, "socket-unclaimed", "the service manager handed over %s, and %s names no such address",
			strings.Join(left, ", "), configPath).WithHint("ListenStream= of the socket unit and listen: of the configuration must be the same")
	}
	return nil
}

func notify(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("the service manager was not told", "state", state, "err", err)
	}
}
