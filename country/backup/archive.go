package backup

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/jitsuin/jitsuin"
)

// write makes the archive beside its place and puts it there when it is whole and durable.
func (t *taking) write(ctx context.Context, o Options) (err error) {
	for _, name := range slices.Sorted(maps.Keys(t.files)) {
		f, err := describeFile(name, t.files[name])
		if err != nil {
			return err
		}
		t.manifest.Files = append(t.manifest.Files, f)
	}
	out, err := os.CreateTemp(filepath.Dir(o.Out), "."+filepath.Base(o.Out)+"-*")
	if err != nil {
		return wrap("archive", err)
	}
	defer func() {
		if err != nil {
			out.Close()
			os.Remove(out.Name())
		}
	}()
	sealed, err := age.Encrypt(out, o.Recipients...)
	if err != nil {
		return wrap("archive", err)
	}
	zipped := gzip.NewWriter(sealed)
	packed := tar.NewWriter(zipped)
	text, err := json.MarshalIndent(t.manifest, "", "  ")
	if err != nil {
		return err
	}
	if err := packed.WriteHeader(&tar.Header{Name: manifestName, Mode: 0o600, Size: int64(len(text)), ModTime: t.manifest.TakenAt}); err != nil {
		return wrap("archive", err)
	}
	if _, err := packed.Write(text); err != nil {
		return wrap("archive", err)
	}
	for _, f := range t.manifest.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := pack(packed, f, t.files[f.Path], t); err != nil {
			return wrap("archive "+f.Path, err)
		}
	}
	if err := errors.Join(packed.Close(), zipped.Close(), sealed.Close(), out.Chmod(0o600), out.Sync(), out.Close()); err != nil {
		return wrap("archive", err)
	}
	if err := os.Rename(out.Name(), o.Out); err != nil {
		return wrap("archive", err)
	}
	return syncDir(filepath.Dir(o.Out))
}

func describeFile(name, file string) (File, error) {
	in, err := os.Open(file)
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return File{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, in)
	return File{Path: name, Size: n, Mode: uint32(info.Mode().Perm()), SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

func pack(to *tar.Writer, f File, file string, t *taking) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := to.WriteHeader(&tar.Header{Name: f.Path, Mode: int64(f.Mode), Size: f.Size, ModTime: t.manifest.TakenAt}); err != nil {
		return err
	}
	_, err = io.CopyN(to, in, f.Size)
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func damaged(format string, args ...any) *jitsuin.Error {
	return jitsuin.Errorf(jitsuin.Invalid, "archive-damaged", format, args...).WithHint("nothing was changed; take another backup file")
}

// unpack opens an archive, writes its files below dir and checks every one of them against the
// manifest. Whatever is wrong with the archive, an error says so before anything else is done.
func unpack(file, dir string, identities []age.Identity) (m Manifest, err error) {
	in, err := os.Open(file)
	if err != nil {
		return m, jitsuin.Errorf(jitsuin.NotFound, "archive-missing", "the backup cannot be read: %w", err)
	}
	defer in.Close()
	plain, err := age.Decrypt(in, identities...)
	if err != nil {
		return m, jitsuin.Errorf(jitsuin.Denied, "archive-closed", "the backup does not open: %w", err).
			WithHint("the passphrase or identity is not one that it was made for, or the file is no backup")
	}
	unzipped, err := gzip.NewReader(plain)
	if err != nil {
		return m, damaged("the backup is damaged: %w", err)
	}
	packed := tar.NewReader(unzipped)
	if m, err = readManifest(packed); err != nil {
		return m, err
	}
	left := map[string]File{}
	for _, f := range m.Files {
		left[f.Path] = f
	}
	for {
		h, err := packed.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return m, damaged("the backup is damaged: %w", err)
		}
		f, ok := left[h.Name]
		if !ok || !fs.ValidPath(h.Name) || path.Clean(h.Name) != h.Name || strings.Contains(h.Name, `\`) {
			return m, damaged("the backup holds %q, which its manifest does not have", h.Name)
		}
		delete(left, h.Name)
		if err := unpackFile(packed, f, filepath.Join(dir, filepath.FromSlash(f.Path))); err != nil {
			return m, err
		}
	}
	// To the very end: only there does the encryption say that nothing was cut off.
	if _, err := io.Copy(io.Discard, unzipped); err != nil {
		return m, damaged("the backup is damaged: %w", err)
	}
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return m, damaged("the backup is damaged: %w", err)
	}
	for name := range left {
		return m, damaged("the backup lacks %s", name)
	}
	return m, nil
}

const maxManifest = 64 << 20

func readManifest(packed *tar.Reader) (m Manifest, err error) {
	h, err := packed.Next()
	if err != nil || h.Name != manifestName {
		return m, damaged("the backup does not begin with its manifest: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(packed, maxManifest))
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		return m, damaged("the manifest cannot be read: %w", err)
	}
	if m.Format > Format {
		return m, jitsuin.Errorf(jitsuin.Unsupported, "archive-newer", "the backup was made by a newer release (format %d, this one knows %d)", m.Format, Format)
	}
	return m, nil
}

func unpackFile(from io.Reader, f File, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fs.FileMode(f.Mode).Perm())
	if err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), from)
	if closeErr := errors.Join(out.Sync(), out.Close()); err == nil && closeErr != nil {
		return closeErr
	}
	switch {
	case err != nil:
		return damaged("the backup is damaged at %s: %w", f.Path, err)
	case n != f.Size || hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return damaged("%s is not the file that was backed up", f.Path)
	}
	return nil
}

// Look opens an archive, checks all of it, and gives its manifest.
func Look(file string, identities []age.Identity) (m Manifest, err error) {
	dir, err := os.MkdirTemp(filepath.Dir(file), restorePrefix)
	if err != nil {
		return m, fmt.Errorf("look at a backup: %w", err)
	}
	defer os.RemoveAll(dir)
	return unpack(file, dir, identities)
}
