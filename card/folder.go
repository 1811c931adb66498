package card

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/internal/durable"
)

const (
	imageName = "chip.image"
	magic     = "JITSUIN-CHIP-1\n" // before the SHA-256 of the image and the image
)

// Folder is a Memory in a folder of the file system: the file chip.image with a checksum,
// replaced by writing a second file, fsync, rename, and fsync of the folder. The folder has mode
// 0700 and the file 0600, because the image holds the private keys.
// A Folder does not lock: package card/host sees to it that one process serves a folder.
type Folder struct {
	dir    string
	writer durable.Writer
}

// NewFolder opens the memory in dir and makes the folder where it does not exist.
func NewFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the chip's folder: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("close the chip's folder to others: %w", err)
	}
	return &Folder{dir: dir, writer: durable.New()}, nil
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

// Store replaces the image.
func (m *Folder) Store(image []byte) error {
	sum := sha256.Sum256(image)
	b := append(append([]byte(magic), sum[:]...), image...)
	defer clear(b)
	if err := m.writer.Replace(filepath.Join(m.dir, imageName), b); err != nil {
		return fmt.Errorf("write the chip's image: %w", err)
	}
	return nil
}
