// Package image makes an OCI image of a static program without a container engine. It owns what
// lies in the image and how it is started.
package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/jitsuin/jitsuin/tools/archive"
)

// User is who the program runs as: nobody that exists on the host.
const User = 65532

// Source is what an image is made from.
type Source struct {
	Version, Revision string
	Made              time.Time         // of the commit: the same sources make the same image
	Programs          map[string][]byte // static Linux programs by architecture (amd64, arm64)
	Licence, Notices  []byte
}

// Write writes the image for all architectures as an OCI archive: a tar of an image layout, whose
// one reference is the version.
func Write(w io.Writer, s Source) error {
	if len(s.Programs) == 0 {
		return errors.New("an image needs a program")
	}
	var index v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		program, ok := s.Programs[arch]
		if !ok {
			continue
		}
		one, err := single(s, arch, program)
		if err != nil {
			return fmt.Errorf("image for %s: %w", arch, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: one,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	index = mutate.Annotations(index, s.labels()).(v1.ImageIndex)
	dir, err := os.MkdirTemp("", "jitsuin-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	place, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	if err := place.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": s.Version})); err != nil {
		return err
	}
	entries, err := archive.Tree("", dir)
	if err != nil {
		return err
	}
	return archive.Tar(w, s.Made, entries)
}

func (s Source) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":         "jitsuin",
		"org.opencontainers.image.description":   "Japan's public personal authentication system (JPKI) as software",
		"org.opencontainers.image.source":        "https://github.com/jitsuin/jitsuin",
		"org.opencontainers.image.documentation": "https://github.com/jitsuin/jitsuin/blob/main/docs/deploy.md",
		"org.opencontainers.image.licenses":      "Apache-2.0",
		"org.opencontainers.image.version":       s.Version,
		"org.opencontainers.image.revision":      s.Revision,
		"org.opencontainers.image.created":       s.Made.UTC().Format(time.RFC3339),
	}
}

// single makes the image for one architecture: one layer with the root that never changes, one with the program.
func single(s Source, arch string, program []byte) (v1.Image, error) {
	var img v1.Image = mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	layers := [][]archive.Entry{
		{
			{Name: "etc/", Mode: 0o755},
			{Name: "etc/passwd", Mode: 0o644, Content: fmt.Appendf(nil, "root:x:0:0:root:/:/nologin\njitsuin:x:%d:%d:jitsuin:/data:/nologin\n", User, User)},
			{Name: "etc/group", Mode: 0o644, Content: fmt.Appendf(nil, "root:x:0:\njitsuin:x:%d:\n", User)},
			{Name: "tmp/", Mode: 0o777 | fs.ModeSticky},
			{Name: "data/", Mode: 0o700, UID: User},
		},
		{
			{Name: "usr/", Mode: 0o755}, {Name: "usr/local/", Mode: 0o755}, {Name: "usr/local/bin/", Mode: 0o755},
			{Name: "usr/local/bin/jitsuin", Mode: 0o755, Content: program},
			{Name: "usr/share/", Mode: 0o755}, {Name: "usr/share/jitsuin/", Mode: 0o755},
			{Name: "usr/share/jitsuin/LICENSE", Mode: 0o644, Content: s.Licence},
			{Name: "usr/share/jitsuin/THIRD-PARTY-NOTICES.txt", Mode: 0o644, Content: s.Notices},
		},
	}
	for i, entries := range layers {
		var raw bytes.Buffer
		if err := archive.Tar(&raw, s.Made, entries); err != nil {
			return nil, err
		}
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw.Bytes())), nil },
			tarball.WithMediaType(types.OCILayer))
		if err != nil {
			return nil, err
		}
		img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{Created: v1.Time{Time: s.Made.UTC()},
			CreatedBy: "make image", Comment: []string{"an empty root", "the program"}[i]}})
		if err != nil {
			return nil, err
		}
	}
	return configure(img, s, arch)
}

// configure says how the program is started, and in what.
func configure(img v1.Image, s Source, arch string) (v1.Image, error) {
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = "linux", arch, v1.Time{Time: s.Made.UTC()}
	file.Config = v1.Config{
		User:         fmt.Sprintf("%d:%d", User, User),
		Entrypoint:   []string{"/usr/local/bin/jitsuin"},
		Cmd:          []string{"--help"},
		Env:          []string{"PATH=/usr/local/bin", "HOME=/data", "JITSUIN_DATA=/data"},
		WorkingDir:   "/data",
		ExposedPorts: map[string]struct{}{"8400/tcp": {}},
		Volumes:      map[string]struct{}{"/data": {}},
		StopSignal:   "SIGTERM",
		Labels:       s.labels(),
	}
	img, err = mutate.ConfigFile(img, file)
	if err != nil {
		return nil, err
	}
	return mutate.Annotations(img, s.labels()).(v1.Image), nil
}
