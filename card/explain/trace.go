package explain

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/jitsuin/jitsuin/card/reader"
)

// Trace gives the card c with everything that is said to it written to w in words, masked. lang is
// "ja" or "en". Who writes to w elsewhere too serialises. A w that fails does not disturb the card.
func Trace(c reader.Card, w io.Writer, lang string) reader.Card {
	return &traced{Card: c, w: w, lang: lang}
}

type traced struct {
	reader.Card
	mu       sync.Mutex
	w        io.Writer
	lang     string
	redactor Redactor
	dialogue Dialogue
}

// Write writes one exchange as a trace has it: the words, then the bytes.
func Write(w io.Writer, lang string, words Words, e Exchange) error {
	line := words.Command.In(lang)
	if d := words.Detail.In(lang); d != "" {
		line += " (" + d + ")"
	}
	masked := ""
	if e.Masked {
		masked = " ***"
	}
	data := e.Response[:max(len(e.Response)-2, 0)]
	answer := words.Status + " " + words.Answer.In(lang)
	if len(data) > 0 {
		answer = hexOf(data) + " " + answer
	}
	shown, hidden := hexOf(e.Command), masked
	if len(e.Command) > 4 {
		hidden = "" // it is the response that is masked
		answer = strings.TrimPrefix(masked+" ", " ") + answer
	}
	_, err := fmt.Fprintf(w, "# %s\n> %s%s\n< %s\n", line, shown, hidden, strings.TrimSpace(answer))
	return err
}

func (t *traced) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	response, err := t.Card.Transmit(ctx, apdu)
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.redactor.Show(apdu, response)
	words := t.dialogue.Say(e)
	if err != nil {
		words.Status, words.Answer = "-", Text{"カードは答えなかった", "the card did not answer"}
	}
	_ = Write(t.w, t.lang, words, e)
	return response, err
}

func (t *traced) note(text Text) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.redactor.Reset()
	t.dialogue.Reset()
	fmt.Fprintf(t.w, "# %s\n", text.In(t.lang))
}

func (t *traced) Power(ctx context.Context, on bool) error {
	err := t.Card.Power(ctx, on)
	if on {
		t.note(Text{"電源を入れる", "Power on"})
	} else {
		t.note(Text{"電源を切る", "Power off"})
	}
	return err
}

func (t *traced) Reset(ctx context.Context) error {
	err := t.Card.Reset(ctx)
	t.note(Text{"リセットする", "Reset"})
	return err
}

func (t *traced) Close() error {
	err := t.Card.Close()
	t.note(Text{"カードを返す", "Give the card back"})
	return err
}
