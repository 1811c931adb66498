package municipality

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	jukinet "github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/rules"
)

// ImportLine is one resident of an older register.
type ImportLine struct {
	Subject      jitsuin.ID           `json:"subject"`
	Items        jitsuin.FourItems    `json:"items"`
	Household    jitsuin.ID           `json:"household"`
	MyNumber     jitsuin.MyNumber     `json:"my_number"`
	ResidentCode jitsuin.ResidentCode `json:"resident_code"`

	Nationality string       `json:"nationality,omitempty"` // ISO 3166-1 alpha-2; "" or "JP" for nationals
	Stay        rules.Stay   `json:"stay,omitempty"`
	StayUntil   jitsuin.Date `json:"stay_until,omitzero"`  // the last day of a limited stay
	AdultWard   bool         `json:"adult_ward,omitempty"` // 成年被後見人
}

func (l ImportLine) standing() jukinet.Standing {
	return jukinet.Standing{Nationality: l.Nationality, Stay: l.Stay, StayUntil: l.StayUntil, AdultWard: l.AdultWard}
}

const (
	importBatch   = 1000 // residents in one transaction
	importMaxLine = 64 << 10
)

// importRegister takes over an older register (データ移行) while the own one is empty. The whole file is
// checked before the first resident is stored. An import that a crash interrupted goes on where it
// stood; a register that has residents by other ways is left alone.
func (t *Town) importRegister(ctx context.Context, path string) error {
	lines, done, err := t.importState(ctx)
	if err != nil || done {
		return err
	}
	digest, err := checkImport(path)
	if err != nil {
		return err
	}
	if lines.digest != "" && lines.digest != digest {
		return jitsuin.Errorf(jitsuin.Conflict, "import-changed", "the file %s is not the one whose import was begun", path).
			WithHint("put the file of the first start back")
	}
	count, err := t.importLines(ctx, path, digest, lines.read)
	if err == nil {
		t.Log.InfoContext(ctx, "register imported", "act", "import", "residents", count)
	}
	return err
}

type importProgress struct {
	digest string
	read   int
}

// importState tells how far an import has come; done also for a register that is not empty.
func (t *Town) importState(ctx context.Context) (p importProgress, done bool, err error) {
	err = t.DB.View(ctx, func(tx *store.Tx) error {
		var finished int
		err := tx.QueryRow(`SELECT digest, lines, done FROM register_import WHERE one = 1`).Scan(&p.digest, &p.read, &finished)
		done = finished != 0
		if errors.Is(err, sql.ErrNoRows) {
			done, err = exists(tx, `SELECT 1 FROM resident`)
		}
		return err
	})
	return p, done, err
}

// eachLine calls do for each line of the file; n counts from 1.
func eachLine(path string, do func(n int, l ImportLine) error) error {
	f, err := os.Open(path)
	if err != nil {
		return jitsuin.Errorf(jitsuin.Invalid, "import-read", "import: %w", err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, importMaxLine)
	n := 0
	for in.Scan() {
		n++
		var l ImportLine
		d := json.NewDecoder(bytes.NewReader(in.Bytes()))
		d.DisallowUnknownFields()
		// The decoder's error may quote the line, which has numbers in it.
		if d.Decode(&l) != nil || d.Decode(&struct{}{}) != io.EOF {
			return importError(path, n, errors.New("it is no resident in JSON"))
		}
		if err := do(n, l); err != nil {
			return err
		}
	}
	if err := in.Err(); err != nil {
		return importError(path, n+1, err)
	}
	return nil
}

func importError(path string, n int, err error) error {
	return jitsuin.Errorf(jitsuin.Invalid, "import-line", "%s, line %d: %w", path, n, err)
}

// checkImport checks every line and that nobody stands in the file twice; it gives the file's digest.
func checkImport(path string) (digest string, err error) {
	sum := sha256.New()
	subjects, numbers, codes := map[jitsuin.ID]bool{}, map[jitsuin.MyNumber]bool{}, map[jitsuin.ResidentCode]bool{}
	err = eachLine(path, func(n int, l ImportLine) error {
		if err := l.check(); err != nil {
			return importError(path, n, err)
		}
		if subjects[l.Subject] || numbers[l.MyNumber] || codes[l.ResidentCode] {
			return importError(path, n, errors.New("an earlier line has this person or one of their numbers"))
		}
		subjects[l.Subject], numbers[l.MyNumber], codes[l.ResidentCode] = true, true, true
		return json.NewEncoder(sum).Encode(l)
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

func (l ImportLine) check() error {
	if _, err := jitsuin.ParseID(string(l.Subject)); err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	if _, err := jitsuin.ParseID(string(l.Household)); err != nil {
		return fmt.Errorf("household: %w", err)
	}
	return errors.Join(l.Items.Check(), checkStanding(l.standing()), rules.CheckMyNumber(l.MyNumber), rules.CheckResidentCode(l.ResidentCode))
}

// importLines stores the lines after the first skip ones, a batch in a transaction.
func (t *Town) importLines(ctx context.Context, path, digest string, skip int) (count int, err error) {
	var batch []ImportLine
	flush := func(done bool) error {
		err := t.DB.Update(ctx, func(tx *store.Tx) error { return t.importBatch(tx, batch, digest, count, done) })
		batch = batch[:0]
		return err
	}
	err = eachLine(path, func(n int, l ImportLine) error {
		if n <= skip {
			count = n
			return nil
		}
		batch, count = append(batch, l), n
		if len(batch) < importBatch {
			return nil
		}
		return flush(false)
	})
	if err != nil {
		return count, err
	}
	return count, flush(true)
}

// importBatch enters residents officially (職権記載) and remembers how far the file was read.
func (t *Town) importBatch(tx *store.Tx, batch []ImportLine, digest string, read int, done bool) error {
	now, finished := t.Clock.Now(), 0
	for _, l := range batch {
		r := record{Subject: l.Subject, Household: l.Household, Items: l.Items, MyNumber: l.MyNumber, ResidentCode: l.ResidentCode,
			Standing: l.standing(), State: jitsuin.Present}
		if err := saveRecord(tx, r); err != nil {
			return err
		}
		c := jitsuin.Change{Subject: l.Subject, Cause: jitsuin.CauseEntered, OccurredOn: jitsuin.DateOf(now), Municipality: t.code,
			State: jitsuin.Present, Items: l.Items}
		_, err := feed.Append(tx, feed.Draft{Topic: jukinet.TopicResidents, Subject: string(l.Subject), Type: jukinet.TypeNotice,
			Body: r.notice(c), RecordedAt: now})
		if err != nil {
			return err
		}
	}
	if done {
		finished = 1
	}
	_, err := tx.Exec(`INSERT INTO register_import (one, digest, lines, done) VALUES (1, $1, $2, $3)
		ON CONFLICT (one) DO UPDATE SET lines = excluded.lines, done = excluded.done`, digest, read, finished)
	return err
}
