package verifier

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/rules"
)

// asked is a request as it came: what to verify, and in which form the answer is wanted.
type asked struct {
	Job
	lang string // of the answer, "" where it was not said
	as   string // form of the answer
}

// Forms of an answer.
const (
	asJSON = "json"
	asText = "text"
	asHTML = "html"
	asPDF  = "pdf"
	asPage = "page" // of this site
)

// maxField is the length of a field that is no file.
const maxField = 200

// jsonJob is the body of a request in JSON; contents are base64.
type jsonJob struct {
	Signature []byte         `json:"signature"`
	Name      string         `json:"name"`
	Documents []jsonDocument `json:"documents"`
	At        string         `json:"at"`
	Proven    bool           `json:"proven"`
	Purpose   string         `json:"purpose"`
	Lang      string         `json:"lang"`
	As        string         `json:"as"`
}

type jsonDocument struct {
	Name    string `json:"name"`
	Content []byte `json:"content"`
}

// read takes a request in, within the bounds. free must be called when the request is done with.
func (v *Verifier) read(w http.ResponseWriter, r *http.Request) (a *asked, free func(), err error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" && kind != "application/json" || kind == "multipart/form-data" && params["boundary"] == "" {
		return nil, nil, jitsuin.Errorf(jitsuin.Invalid, "content-type", "the request must be multipart/form-data or application/json")
	}
	longest, weight := 2*v.fileLimit()+1<<20, int64(1)
	if kind == "application/json" {
		longest, weight = longest/3*4, 2 // base64, and then as text and as octets
	}
	length := r.ContentLength
	switch {
	case length > longest:
		_, _ = io.CopyN(io.Discard, r.Body, min(length, 4*longest)) // a browser shows no answer that comes before all is sent
		return nil, nil, v.tooLarge()
	case length < 0:
		length = longest
	}
	// The room is taken before anything is read, so that many who send slowly cannot fill the memory.
	if length *= weight; !v.memory.TryAcquire(length) {
		w.Header().Set("Retry-After", "2")
		return nil, nil, busy()
	}
	free = func() { v.memory.Release(length) }
	r.Body = http.MaxBytesReader(w, r.Body, longest)
	if kind == "application/json" {
		a, err = v.readJSON(r.Body)
	} else {
		a, err = v.readForm(multipart.NewReader(r.Body, params["boundary"]))
	}
	if err != nil {
		free()
		return nil, nil, v.readError(err)
	}
	return a, free, nil
}

func (v *Verifier) fileLimit() int64 { return int64(v.cfg.Limits.FileMiB) << 20 }

func (v *Verifier) tooLarge() error {
	return jitsuin.Errorf(jitsuin.Invalid, "too-large", "a file is larger than %d MiB, or all documents together are", v.cfg.Limits.FileMiB)
}

// readError says what was wrong with reading.
func (v *Verifier) readError(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return v.tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return jitsuin.Errorf(jitsuin.Invalid, "too-slow", "the request did not come in time")
	case jitsuin.CodeOf(err) != "":
		return err
	}
	return jitsuin.Errorf(jitsuin.Invalid, "request-form", "the request cannot be read: %w", err)
}

func (v *Verifier) readJSON(body io.Reader) (*asked, error) {
	var j jsonJob
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	a := &asked{Job: Job{Name: j.Name, Signed: j.Signature, Proven: j.Proven, Purpose: rules.Purpose(j.Purpose)}, lang: j.Lang, as: j.As}
	for _, one := range j.Documents {
		a.Documents = append(a.Documents, Document(one))
	}
	return a, v.complete(a, j.At)
}

// readForm reads the parts one by one into memory: nothing is put into a file.
func (v *Verifier) readForm(parts *multipart.Reader) (*asked, error) {
	a, at := &asked{}, ""
	fields := map[string]string{}
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF { // itself: a body that is cut short ends in an error that wraps it
			break
		}
		if err != nil {
			return nil, err
		}
		name := p.FormName()
		switch name {
		case "signature", "document":
			if err := v.takeFile(a, name, p); err != nil {
				return nil, err
			}
		case "at", "purpose", "lang", "as", "proven":
			if _, twice := fields[name]; twice {
				return nil, jitsuin.Errorf(jitsuin.Invalid, "request-form", "the field %q came twice", name).At(name)
			}
			raw, err := io.ReadAll(io.LimitReader(p, maxField+1))
			if err != nil {
				return nil, err
			}
			if len(raw) > maxField {
				return nil, jitsuin.Errorf(jitsuin.Invalid, "request-form", "the field %q is too long", name).At(name)
			}
			fields[name] = string(raw)
		default:
			return nil, jitsuin.Errorf(jitsuin.Invalid, "request-form", "there is no field %.50q", name).
				WithHint("the fields are signature, document, at, proven, purpose, lang and as")
		}
	}
	at, a.lang, a.as, a.Proven, a.Purpose = fields["at"], fields["lang"], fields["as"], fields["proven"] != "", rules.Purpose(fields["purpose"])
	return a, v.complete(a, at)
}

// takeFile takes a part with a file. A browser sends an empty one without a name where none was chosen.
func (v *Verifier) takeFile(a *asked, field string, p *multipart.Part) error {
	raw, err := io.ReadAll(io.LimitReader(p, v.fileLimit()+1))
	switch {
	case err != nil:
		return err
	case int64(len(raw)) > v.fileLimit():
		return v.tooLarge()
	case len(raw) == 0 && p.FileName() == "":
		return nil
	case field == "document":
		a.Documents = append(a.Documents, Document{p.FileName(), raw})
		if len(a.Documents) > v.cfg.Limits.Documents {
			return v.tooMany()
		}
	case a.Signed != nil:
		return jitsuin.Errorf(jitsuin.Invalid, "request-form", "there are two signed files").At("signature")
	default:
		a.Name, a.Signed = p.FileName(), raw
	}
	return nil
}

func (v *Verifier) tooMany() error {
	return jitsuin.Errorf(jitsuin.Invalid, "too-many", "there are more than %d documents", v.cfg.Limits.Documents).At("document")
}

// complete checks a request that was read.
func (v *Verifier) complete(a *asked, at string) (err error) {
	total := int64(0)
	for _, d := range a.Documents {
		total += int64(len(d.Content))
	}
	switch {
	case len(a.Signed) == 0:
		return jitsuin.Errorf(jitsuin.Invalid, "signature-missing", "there is no signed file in the request").At("signature")
	case len(a.Documents) > v.cfg.Limits.Documents:
		return v.tooMany()
	case int64(len(a.Signed)) > v.fileLimit() || total > v.fileLimit():
		return v.tooLarge()
	case !slices.Contains([]string{"", "ja", "en"}, a.lang):
		return jitsuin.Errorf(jitsuin.Invalid, "lang", "there is no language %q here: ja or en", a.lang).At("lang")
	case !slices.Contains([]string{"", asJSON, asText, asHTML, asPDF, asPage}, a.as):
		return jitsuin.Errorf(jitsuin.Invalid, "as", "there is no form of answer %q: json, text, html or pdf", a.as).At("as")
	case a.Purpose != "" && !slices.Contains(rules.Purposes(), a.Purpose):
		return jitsuin.Errorf(jitsuin.Invalid, "purpose", "there is no purpose %q", a.Purpose).At("purpose")
	}
	a.At, err = instant(at)
	return err
}

// instant reads the instant asked about: RFC 3339, or a day and time in Japan as a browser sends it.
func instant(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(form, s, jitsuin.JST); err == nil {
			return t, nil
		}
	}
	return time.Time{}, jitsuin.Errorf(jitsuin.Invalid, "at", "%q is no instant such as 2027-01-15T09:00:00+09:00", s).At("at")
}
