package minister

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"image"
	_ "image/jpeg" // a picture is what it says
	_ "image/png"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/minister/api"
)

// document is the content of an evidence that was sent along.
type document struct {
	sha256, mediaType string
	content           []byte
}

// takeEvidence checks evidence and takes the documents out of it, so that what is stored with the application names them only.
func takeEvidence(all []api.Exhibit, field string) (bare []api.Exhibit, documents []document, err error) {
	total := 0
	for _, e := range all {
		if err := checkEvidence(e); err != nil {
			return nil, nil, err.At(field)
		}
		if total += len(e.Content); total > api.MaxDocuments {
			return nil, nil, jitsuin.Errorf(jitsuin.Invalid, "documents-large", "the documents have more than %d bytes together", api.MaxDocuments).
				WithHint("give the address where they lie instead").At(field)
		}
		if e.Content != nil {
			documents = append(documents, document{e.SHA256, e.MediaType, e.Content})
		}
		e.Name, e.Content = strings.TrimSpace(e.Name), nil
		bare = append(bare, e)
	}
	return bare, documents, nil
}

func checkEvidence(e api.Exhibit) *jitsuin.Error {
	sum, err := hex.DecodeString(e.SHA256)
	if err != nil || len(sum) != sha256.Size || e.SHA256 != strings.ToLower(e.SHA256) {
		return jitsuin.Errorf(jitsuin.Invalid, "evidence-digest", "a document's digest is SHA-256 in 64 lower-case hex digits")
	}
	if strings.TrimSpace(e.Name) == "" {
		return jitsuin.Errorf(jitsuin.Invalid, "evidence-name", "a document needs a name")
	}
	if e.Content == nil {
		u, err := url.Parse(e.Location)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			return jitsuin.Errorf(jitsuin.Invalid, "evidence-nowhere", "%q is neither sent along nor lies at an https address", e.Name)
		}
		return nil
	}
	switch got := sha256.Sum256(e.Content); {
	case e.Location != "":
		return jitsuin.Errorf(jitsuin.Invalid, "evidence-twice", "%q is sent along and lies elsewhere: one of the two", e.Name)
	case len(e.Content) > api.MaxDocument:
		return jitsuin.Errorf(jitsuin.Invalid, "document-large", "%q has more than %d bytes", e.Name, api.MaxDocument).WithHint("give the address where it lies instead")
	case int64(len(e.Content)) != e.Bytes || !bytes.Equal(got[:], sum):
		return jitsuin.Errorf(jitsuin.Invalid, "evidence-digest", "%q is not the document that its digest and length name", e.Name)
	case !looksLike(e.MediaType, e.Content):
		return jitsuin.Errorf(jitsuin.Invalid, "evidence-type", "%q is no %s", e.Name, e.MediaType)
	}
	return nil
}

// looksLike tells whether content may be of its media type: officials open it.
func looksLike(mediaType string, content []byte) bool {
	switch mediaType {
	case "application/pdf":
		return bytes.HasPrefix(content, []byte("%PDF-"))
	case "application/zip":
		return bytes.HasPrefix(content, []byte("PK"))
	case "image/png", "image/jpeg":
		_, kind, err := image.DecodeConfig(bytes.NewReader(content))
		return err == nil && "image/"+kind == mediaType
	}
	return utf8.Valid(content) && !bytes.ContainsRune(content, 0)
}

func putDocuments(tx *store.Tx, verifier string, documents []document) error {
	for _, d := range documents {
		_, err := tx.Exec(`INSERT INTO evidence (verifier, sha256, media_type, content) VALUES ($1, $2, $3, $4) ON CONFLICT (verifier, sha256) DO NOTHING`,
			verifier, d.sha256, d.mediaType, d.content)
		if err != nil {
			return err
		}
	}
	return nil
}

// Evidence gives a document that a verifier sent; NotFound where it sent none with the digest.
func (m *Minister) Evidence(ctx context.Context, verifier, digest string) (mediaType string, content []byte, err error) {
	err = m.DB.View(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT media_type, content FROM evidence WHERE verifier = $1 AND sha256 = $2`, verifier, digest).Scan(&mediaType, &content)
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = jitsuin.Errorf(jitsuin.NotFound, "evidence-unknown", "there is no such document")
	}
	return mediaType, content, err
}

// serveEvidence gives a document to an official, or to whoever sent it.
func (m *Minister) serveEvidence(w http.ResponseWriter, r *http.Request) {
	verifier, caller := r.PathValue("verifier"), httpapi.CallerOf(r.Context())
	if caller.Role != roleOfficial && caller.ID != verifier {
		verifier = ""
	}
	mediaType, content, err := m.Evidence(r.Context(), verifier, r.PathValue("sha256"))
	if err != nil {
		httpapi.WriteError(w, r, m.Log, err)
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Disposition", "attachment")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(content)
}
