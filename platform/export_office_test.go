package platform

import (
	"context"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin/internal/store"
)

// WatchOffice asks about the certificate of every open session now.
func WatchOffice(p *Platform, ctx context.Context) error {
	return p.watchOnce(ctx, time.Now().Add(time.Second))
}

// AgeOffice makes the last look at every session's certificate an old one.
func AgeOffice(t *testing.T, p *Platform) {
	t.Helper()
	if err := p.DB.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(`UPDATE office_session SET checked_at = 1`); return err }); err != nil {
		t.Fatal(err)
	}
}

// SensitiveActs gives the acts that have an effect that two people agree to.
func SensitiveActs(p *Platform) (all []string) {
	for a := range p.acts {
		all = append(all, string(a))
	}
	return all
}
