package platform

import "github.com/jitsuin/jitsuin/internal/store"

func (p *Platform) concludeSubmission(tx *store.Tx, q queued, f finding) error { return nil }
