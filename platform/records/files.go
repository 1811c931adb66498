package records

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/platform/api"
)

// Names of the files of an attachment.
const (
	FileSignature   = "signature"
	FileCertificate = "certificate"
	FileStatus      = "status"
	FileDocument    = "document"
)

// File is a file of an attachment.
type File struct {
	api.RecordFile
	Content []byte
}

func newFile(name, mediaType string, content []byte) File {
	sum := sha256.Sum256(content)
	return File{api.RecordFile{Name: name, MediaType: mediaType, Size: len(content), SHA256: hex.EncodeToString(sum[:])}, content}
}

// filesOf gives the attachment of a record, the status answer included.
func filesOf(tx *store.Tx, tenant string, id jitsuin.ID) ([]File, error) {
	var sig, leaf, status, document []byte
	err := tx.QueryRow(`SELECT signature, certificate, status, document FROM vault_records WHERE tenant = $1 AND id = $2`, tenant, id).
		Scan(&sig, &leaf, &status, &document)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errUnknown()
	}
	if err != nil {
		return nil, err
	}
	statusType := "application/ocsp-response"
	if len(status) > 0 && status[0] == '{' { // what was read from a list
		statusType = "application/json"
	}
	var all []File
	for _, f := range []File{newFile(FileSignature, signatureType(sig), sig), newFile(FileCertificate, "application/pkix-cert", leaf),
		newFile(FileStatus, statusType, status), newFile(FileDocument, http.DetectContentType(document), document)} {
		if f.Size > 0 {
			all = append(all, f)
		}
	}
	return all, nil
}

// signatureType is DER of CMS, XML, or a JWS.
func signatureType(sig []byte) string {
	switch {
	case len(sig) > 0 && sig[0] == 0x30:
		return "application/pkcs7-signature"
	case len(sig) > 0 && sig[0] == '<':
		return "application/xml"
	}
	return "application/jose"
}

// ReadFile gives a file of a tenant's record. The status answer is Denied: it may be used for the check alone.
func ReadFile(tx *store.Tx, tenant string, id jitsuin.ID, name string) (File, error) {
	if _, err := getHead(tx, tenant, id); err != nil {
		return File{}, err
	}
	if name == FileStatus {
		return File{}, jitsuin.Errorf(jitsuin.Denied, "status-stays", "the answer about the certificate stays with the verifier (JPKI Act art. 52)").
			WithHint("its digest stands in the record, and what it said in the report on the check")
	}
	all, err := filesOf(tx, tenant, id)
	if err != nil {
		return File{}, err
	}
	for _, f := range all {
		if f.Name == name {
			return f, nil
		}
	}
	return File{}, jitsuin.Errorf(jitsuin.NotFound, "record-file-unknown", "the record has no such file")
}
