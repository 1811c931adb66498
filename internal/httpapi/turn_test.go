package httpapi

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestABodyThatHasComeReadsTheSame(t *testing.T) {
	for _, most := range []int64{3, 5, 6, 100} {
		body, err := io.ReadAll(received(io.NopCloser(strings.NewReader("hello")), 5, most))
		if string(body) != "hello" || err != nil {
			t.Errorf("of at most %d: %q, %v", most, body, err)
		}
	}
	lost := errors.New("lost")
	body, err := io.ReadAll(received(io.NopCloser(io.MultiReader(strings.NewReader("he"), iotest.ErrReader(lost))), -1, 100))
	if string(body) != "he" || !errors.Is(err, lost) {
		t.Errorf("cut short: %q, %v", body, err)
	}
}
