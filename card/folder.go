package card

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
)

const (
	imageName = "chip.image"
	tempName  = "chip.image.tmp"
	magic     = "JITSUIN-CHIP-1\n" // before the SHA-256 of the image and the image
)

// Folder is a Memory in a folder of the file system: the file chip.image with a checksum,
// replaced by writing a second file, fsync, rename, and fsync of the folder. The folder has mode
// 0700 and the file 0600, because the image holds the private keys.
// A Folder does not lock: package card/host sees to it that one process serves a folder.
type Folder struct {
	dir string
	fs  fileSystem
}

// fileSystem is the handful of calls that a power cut can come between.
type fileSystem struct {
	write   func(f *os.File, b []byte) error
	sync    func(f *os.File) error
	rename  func(from, to string) error
	syncDir func(dir string) error
}

// NewFolder opens the memory in dir and makes the folder where it does not exist.
func NewFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the chip's folder: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("close the chip's folder to others: %w", err)
	}
	return &Folder{dir: dir, fs: fileSystem{
		write:   func(f *os.File, b []byte) error { _, err := f.Write(b); return err },
		sync:    (*os.File).Sync,
		rename:  os.Rename,
		syncDir: syncDir,
	}}, nil
}

// Load reads the image and checks its checksum.
func (m *Folder) Load() ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(m.dir, imageName))
	if err != nil {
		return nil, fmt.Errorf("read the chip's image: %w", err)
	}
	sum, image, ok := cutHeader(b)
	if !ok || sum != sha256.Sum256(image) {
		return nil, jitsuin.Errorf(jitsuin.Internal, "chip-image-damaged", "the image of the chip in %s is damaged", m.dir)
	}
	return image, nil
}

func cutHeader(b []byte) (sum [sha256.Size]byte, image []byte, ok bool) {
	rest, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok || len(rest) < len(sum) {
		return sum, nil, false
	}
	copy(sum[:], rest)
	return sum, rest[len(sum):], true
}

// Store replaces the image. A temporary file that a power cut left behind is overwritten.
func (m *Folder) Store(image []byte) error {
	sum := sha256.Sum256(image)
	b := append(append([]byte(magic), sum[:]...), image...)
	defer clear(b)
	temp := filepath.Join(m.dir, tempName)
	if err := m.writeTemp(temp, b); err != nil {
		return err
	}
	if err := m.fs.rename(temp, filepath.Join(m.dir, imageName)); err != nil {
		return fmt.Errorf("put the chip's new image in place: %w", err)
	}
	if err := m.fs.syncDir(m.dir); err != nil {
		return fmt.Errorf("sync the chip's folder: %w", err)
	}
	return nil
}

func (m *Folder) writeTemp(path string, b []byte) error {
	// The old temporary file goes first, so that the new one has our mode and not another's.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove an unfinished image: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("open the chip's new image: %w", err)
	}
	err = m.fs.write(f, b)
	if err == nil {
		err = m.fs.sync(f)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write the chip's new image: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	return err
}
