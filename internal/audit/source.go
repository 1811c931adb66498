package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
)

// maxLine is the longest line of an exported log, in bytes.
const maxLine = feed.MaxBody + 64<<10

// errStop ends the reading of a log whose first bad entry was found.
var errStop = errors.New("a bad entry was found")

// CheckDatabase checks the log in a database, which may be one that is only open for reading. Besides what e
// says, the log must reach its head as the database has it. An error says that the database cannot be read.
func CheckDatabase(ctx context.Context, db *store.DB, e Expect) (Report, error) {
	var c *Check
	err := db.View(ctx, func(tx *store.Tx) error {
		head, waiting, err := feed.LastOf(tx, Topic)
		if err != nil {
			return err
		}
		known := e
		known.Reached = append(append([]feed.Mark{}, e.Reached...), head.Mark())
		c = NewCheck(known)
		c.report.Waiting = waiting
		err = feed.ReadLog(tx, Topic, jitsuin.Position{}, func(line []byte) error {
			if !c.Line(line) {
				return errStop
			}
			return nil
		})
		if errors.Is(err, errStop) {
			err = nil
		}
		if err == nil && c.report.Fault == nil && head.N > 0 && c.last.Compare(head.Position) > 0 {
			c.bad(FaultInserted, jitsuin.Position{Epoch: c.last.Epoch, N: head.N + 1}, "the log goes on behind its head, which is %s", head.Position)
		}
		return err
	})
	if err != nil {
		return Report{}, fmt.Errorf("read the operation log: %w", err)
	}
	return c.End(), nil
}

// aside is what stands in an exported log besides its lines: before them a witness's statements, behind them the head.
type aside struct {
	Head      string `json:"head,omitempty"`      // compact JWS, of a feed's head
	Statement string `json:"statement,omitempty"` // compact JWS
}

const (
	startsHead      = `{"head":`
	startsStatement = `{"statement":`
)

// Export writes the whole log as a file that can be checked off line: a witness's statements, the lines as the
// feed gives them out, and last the head, signed by sign now.
func Export(tx *store.Tx, w io.Writer, statements []string, sign func(feed.Mark) (string, error)) (lines int, err error) {
	out := bufio.NewWriter(w)
	for _, s := range statements {
		if err := writeAside(out, aside{Statement: s}); err != nil {
			return 0, err
		}
	}
	var last feed.Mark
	err = feed.ReadLog(tx, Topic, jitsuin.Position{}, func(line []byte) error {
		lines++
		if e, _, err := feed.ParseLine(line); err == nil {
			last = feed.Mark{Position: e.Position(), Hash: e.Hash}
		}
		return writeRow(out, line)
	})
	if err != nil {
		return lines, err
	}
	head, err := sign(last)
	if err == nil {
		err = writeAside(out, aside{Head: head})
	}
	if err != nil {
		return lines, err
	}
	return lines, out.Flush()
}

func writeAside(w io.Writer, a aside) error {
	line, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return writeRow(w, line)
}

func writeRow(w io.Writer, line []byte) error {
	_, err := w.Write(append(bytes.Clone(line), '\n'))
	return err
}

// readAside reads a line that is no line of the log; false where it is not to the octet as it is written.
func readAside(line []byte) (a aside, ok bool) {
	var again bytes.Buffer
	err := json.Unmarshal(line, &a)
	if err == nil {
		err = writeAside(&again, a)
	}
	return a, err == nil && bytes.Equal(again.Bytes(), append(bytes.Clone(line), '\n'))
}

// export is an exported log while it is checked.
type export struct {
	expect Expect
	check  *Check // nil before the first line of the log
	head   string
	rows   int
}

// CheckExport checks a file of Export. Statements of e are held against the log as well as those in the file.
func CheckExport(r io.Reader, e Expect) (Report, error) {
	e.Statements = append([]string{}, e.Statements...)
	x := &export{expect: e}
	in := bufio.NewReaderSize(r, 64<<10)
	for more := true; more; {
		line, err := in.ReadBytes('\n')
		if len(line) > maxLine {
			return Report{}, jitsuin.Errorf(jitsuin.Invalid, "log-form", "a line of the log is longer than %d bytes", maxLine)
		}
		if err != nil && err != io.EOF {
			return Report{}, fmt.Errorf("read the log: %w", err)
		}
		if err == io.EOF && len(line) == 0 {
			break
		}
		more = err == nil && x.row(bytes.TrimSuffix(line, []byte("\n")))
		if err == io.EOF { // the last line lacks its end: it was cut
			x.begin()
			x.check.bad(FaultChanged, x.check.next(), "the last line is cut")
		}
	}
	x.begin()
	return x.end(), nil
}

func (x *export) begin() {
	if x.check == nil {
		x.check = NewCheck(x.expect)
	}
}

// row takes one line of the file; false once an entry was bad.
func (x *export) row(line []byte) bool {
	x.rows++
	switch {
	case x.head != "":
		return x.check.bad(FaultInserted, x.check.next(), "something stands behind the signed head (line %d of the file)", x.rows)
	case bytes.HasPrefix(line, []byte(startsHead)):
		x.begin()
		a, ok := readAside(line)
		if x.head = a.Head; !ok {
			return x.check.bad(FaultChanged, x.check.next(), "the signed head behind the lines is written otherwise than a log writes it")
		}
		return x.check.report.Fault == nil
	case x.check == nil && bytes.HasPrefix(line, []byte(startsStatement)):
		a, ok := readAside(line)
		if !ok {
			x.begin()
			return x.check.bad(FaultChanged, jitsuin.Position{}, "the statement in line %d of the file is written otherwise than a log writes it", x.rows)
		}
		x.expect.Statements = append(x.expect.Statements, a.Statement)
		return true
	}
	x.begin()
	return x.check.Line(line)
}

// end compares the log with its signed head.
func (x *export) end() Report {
	c := x.check
	if c.report.Fault != nil {
		return c.End()
	}
	signed, _, err := feed.VerifyHead(x.head, Topic, c.expect.Keys.of(c.expect.Verifier))
	switch {
	case x.head == "":
		c.bad(FaultUnsigned, c.next(), "the signed head behind the lines is missing")
	case err != nil:
		c.bad(FaultSignature, c.next(), "%v", err)
	case signed.N > 0 && c.last.Compare(signed.Position) > 0:
		c.bad(FaultInserted, jitsuin.Position{Epoch: signed.Epoch, N: signed.N + 1}, "the log goes on behind its signed head, which is %s", signed.Position)
	default:
		c.expect.Reached = append(c.expect.Reached, signed)
	}
	return c.End()
}
