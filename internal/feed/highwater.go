package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/jitsuin/jitsuin"
)

// Mark is the last number given out in a topic. A zero hash is not known.
type Mark struct {
	jitsuin.Position
	Hash Hash
}

// HighWater remembers outside the database what was given out, so that a database that was rolled
// back is found out before it numbers or serves anything.
type HighWater interface {
	// Marks gives the last mark of each topic.
	Marks() (map[string]Mark, error)
	// Raise records marks; they are durable when it returns nil. After an error they may be or not.
	Raise(marks map[string]Mark) error
}

// compactAt is the size at which the high-water file is written anew with the last marks only.
const compactAt = 1 << 20

type highWaterFile struct {
	path string

	mu   sync.Mutex      // owns last and the file
	last map[string]Mark // what the file says; nil before it was read
}

// HighWaterFile keeps marks in a file that one sender process writes. It must not lie in the
// folder that is backed up and restored together with the database. Each Raise appends one line
// per topic and syncs; a line cut short by a crash was never relied on and is dropped.
func HighWaterFile(path string) HighWater { return &highWaterFile{path: path} }

// Marks reads the file; a missing file has none.
func (h *highWaterFile) Marks() (map[string]Mark, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	last := map[string]Mark{}
	f, err := os.OpenFile(h.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		h.last = last
		return map[string]Mark{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the high-water file: %w", err)
	}
	defer f.Close()
	whole := int64(0)
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			break // what follows the last newline was cut short
		}
		if err != nil {
			return nil, fmt.Errorf("read the high-water file: %w", err)
		}
		topic, mark, err := parseMark(line)
		if err != nil {
			return nil, fmt.Errorf("read the high-water file %s at byte %d: %w", h.path, whole, err)
		}
		last[topic] = mark
		whole += int64(len(line))
	}
	if err := f.Truncate(whole); err != nil {
		return nil, fmt.Errorf("read the high-water file: %w", err)
	}
	h.last = last
	copied := make(map[string]Mark, len(last))
	for topic, mark := range last {
		copied[topic] = mark
	}
	return copied, nil
}

// Raise appends marks and syncs the file.
func (h *highWaterFile) Raise(marks map[string]Mark) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		return errors.New("raise the high-water file: it was not read first")
	}
	var lines bytes.Buffer
	for topic, mark := range marks {
		fmt.Fprintf(&lines, "%s %s %s\n", topic, mark.Position, mark.Hash)
	}
	size, err := h.write(lines.Bytes())
	if err != nil {
		return fmt.Errorf("raise the high-water file: %w", err)
	}
	for topic, mark := range marks {
		h.last[topic] = mark
	}
	if size > compactAt+int64(200*len(h.last)) {
		return h.compact()
	}
	return nil
}

// write appends; a failed write is cut off again, so that the next one does not continue its line.
func (h *highWaterFile) write(lines []byte) (size int64, err error) {
	f, err := os.OpenFile(h.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if _, err := f.Write(lines); err != nil {
		return 0, errors.Join(err, f.Truncate(info.Size()))
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	if info.Size() == 0 {
		err = syncDir(filepath.Dir(h.path))
	}
	return info.Size() + int64(len(lines)), err
}

// compact replaces the file by one with the last marks only.
func (h *highWaterFile) compact() error {
	var all bytes.Buffer
	for topic, mark := range h.last {
		fmt.Fprintf(&all, "%s %s %s\n", topic, mark.Position, mark.Hash)
	}
	temp := h.path + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("compact the high-water file: %w", err)
	}
	if _, err := (&highWaterFile{path: temp}).write(all.Bytes()); err != nil {
		return fmt.Errorf("compact the high-water file: %w", err)
	}
	if err := os.Rename(temp, h.path); err != nil {
		return fmt.Errorf("compact the high-water file: %w", err)
	}
	return syncDir(filepath.Dir(h.path))
}

func parseMark(line []byte) (topic string, m Mark, err error) {
	parts := strings.Fields(string(line))
	if len(parts) != 3 || checkTopic(parts[0]) != nil {
		return "", Mark{}, errors.New("a line is TOPIC EPOCH.N HASH")
	}
	if m.Position, err = jitsuin.ParsePosition(parts[1]); err != nil {
		return "", Mark{}, err
	}
	return parts[0], m, m.Hash.UnmarshalText([]byte(parts[2]))
}

// syncDir makes the names in dir durable. Windows cannot sync a folder; NTFS writes its journal of names
// by itself.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
