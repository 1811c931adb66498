package host

import "errors"

var errCut = errors.New("power cut")

// CutCustody makes the next custody write fail before the rename (lost) or after it (kept).
func (h *Host) CutCustody(kept bool) (repair func()) {
	old := h.writer
	if kept {
		h.writer.SyncDir = func(string) error { return errCut }
	} else {
		h.writer.Rename = func(string, string) error { return errCut }
	}
	return func() { h.writer = old }
}
