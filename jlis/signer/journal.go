package signer

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
)

// journal is an append-only file, one JSON line per signature, synced before the signature leaves.
// A line that was cut off by a crash at the very end was never answered and is removed at opening;
// a broken line anywhere else means that somebody changed the file, and it is refused.
type journal struct {
	mu      sync.Mutex
	file    *os.File
	epoch   uint32
	entries []Receipt
	failed  error // after a failed write nothing more is written: the tail may be torn
}

type line struct {
	Epoch   uint32    `json:"epoch"`
	Counter uint64    `json:"counter"`
	Key     string    `json:"key,omitempty"`
	Purpose Purpose   `json:"purpose"`
	Digest  string    `json:"sha256,omitempty"`
	Serial  string    `json:"serial,omitempty"` // of a certificate; lines of the first release have none
	At      time.Time `json:"at"`               // wall time
}

const purposeEpoch Purpose = "new-epoch"

func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("signature journal: %w", err)
	}
	j := &journal{file: f, epoch: 1}
	if err := j.load(path); err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

func (j *journal) load(path string) error {
	r, good := bufio.NewReader(j.file), int64(0)
	for n := 1; ; n++ {
		raw, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			// What is left, if anything, has no line end: cut off, never answered.
			if err := j.file.Truncate(good); err != nil {
				return fmt.Errorf("signature journal: %w", err)
			}
			_, err = j.file.Seek(good, io.SeekStart)
			return err
		}
		if err != nil {
			return fmt.Errorf("signature journal: %w", err)
		}
		if err := j.take(raw); err != nil {
			return jitsuin.Errorf(jitsuin.Conflict, "journal-broken", "line %d of the signature journal %s: %w", n, path, err).
				WithHint("restore the journal; it is the account of every signature and is never edited")
		}
		good += int64(len(raw))
	}
}

func (j *journal) take(raw []byte) error {
	var l line
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return err
	}
	if l.Purpose == purposeEpoch {
		if l.Epoch <= j.epoch {
			return fmt.Errorf("epoch %d after %d", l.Epoch, j.epoch)
		}
		j.epoch = l.Epoch
		return nil
	}
	digest, err := hex.DecodeString(l.Digest)
	if err != nil || len(digest) != 32 || l.Counter != uint64(len(j.entries))+1 || l.Epoch != j.epoch {
		return fmt.Errorf("does not follow the line before")
	}
	r := Receipt{Epoch: l.Epoch, Counter: l.Counter, Digest: [32]byte(digest), Key: l.Key, Purpose: l.Purpose, At: l.At}
	if l.Serial != "" {
		serial, err := hex.DecodeString(l.Serial)
		if err != nil || len(serial) != len(r.Serial) {
			return fmt.Errorf("a serial number has 32 hex digits")
		}
		r.Serial = [16]byte(serial)
	}
	j.entries = append(j.entries, r)
	return nil
}

// append makes one line durable. After a failure the journal stays closed to further signatures:
// reopening repairs the tail.
func (j *journal) append(l line) error {
	if j.failed != nil {
		return j.failed
	}
	raw, err := json.Marshal(l)
	if err == nil {
		if _, err = j.file.Write(append(raw, '\n')); err == nil {
			err = j.file.Sync()
		}
	}
	if err != nil {
		j.failed = jitsuin.Errorf(jitsuin.Unavailable, "journal-write", "the signature journal cannot be written: %w", err)
		return j.failed
	}
	return nil
}

// record accounts for a signature: r has key, purpose, digest and serial number, and gets the rest.
func (j *journal) record(r Receipt) (Receipt, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r.Epoch, r.Counter, r.At = j.epoch, uint64(len(j.entries))+1, time.Now().UTC()
	l := line{Epoch: r.Epoch, Counter: r.Counter, Key: r.Key, Purpose: r.Purpose, Digest: hex.EncodeToString(r.Digest[:]), At: r.At}
	if r.Serial != [16]byte{} {
		l.Serial = hex.EncodeToString(r.Serial[:])
	}
	if err := j.append(l); err != nil {
		return Receipt{}, err
	}
	j.entries = append(j.entries, r)
	return r, nil
}

func (j *journal) newEpoch(atLeast uint32) (uint32, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.epoch == math.MaxUint32 {
		return 0, jitsuin.Errorf(jitsuin.Internal, "epochs-used-up", "there is no epoch after %d", j.epoch)
	}
	next := max(j.epoch+1, atLeast)
	if err := j.append(line{Epoch: next, Counter: uint64(len(j.entries)), Purpose: purposeEpoch, At: time.Now().UTC()}); err != nil {
		return 0, err
	}
	j.epoch = next
	return j.epoch, nil
}

func (j *journal) last() Receipt {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) == 0 {
		return Receipt{Epoch: j.epoch}
	}
	r := j.entries[len(j.entries)-1]
	r.Epoch = j.epoch
	return r
}

func (j *journal) since(counter uint64) []Receipt {
	j.mu.Lock()
	defer j.mu.Unlock()
	if counter >= uint64(len(j.entries)) {
		return nil
	}
	return append([]Receipt(nil), j.entries[counter:]...)
}

// syncDir makes a new file's name durable. Windows cannot sync a folder; NTFS writes its journal of names
// by itself.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
