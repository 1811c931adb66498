package disk

import (
	"path/filepath"
	"testing"
)

func TestSpace(t *testing.T) {
	s, err := Of(t.TempDir())
	if err != nil || s.Free == 0 || s.Free > s.Total {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Of(filepath.Join(t.TempDir(), "nothing here")); err == nil {
		t.Error("a path that is not there has space")
	}
}
