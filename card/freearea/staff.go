package freearea

import (
	"context"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
)

// StaffAID names the staff card (国家公務員身分証) of the sandbox's ministry.
var StaffAID = []byte("\xF0JITSU\x02\x01\x01")

// Staff is what the staff card says. It opens doors: no PIN is asked for, the card's key answers.
type Staff struct {
	Number     string // staff number, at most 20 characters
	Body       string // 所属
	ValidUntil jitsuin.Date
}

// Encode writes the record: DF 71 number, DF 72 body, DF 73 last day as YYYYMMDD.
func (s Staff) Encode() ([]byte, error) {
	switch {
	case s.Number == "" || len(s.Number) > 20:
		return nil, jitsuin.Errorf(jitsuin.Invalid, "staff-number", "a staff number has 1 to 20 characters").At("number")
	case s.Body == "":
		return nil, jitsuin.Errorf(jitsuin.Invalid, "staff-body", "a staff card says which body it is of").At("body")
	case s.ValidUntil.IsZero():
		return nil, jitsuin.Errorf(jitsuin.Invalid, "date-missing", "a staff card says until when it is valid").At("until")
	}
	return encodeFields(s.Number, s.Body, strings.ReplaceAll(s.ValidUntil.String(), "-", ""))
}

// ReadStaff reads the card on the channel. Errors as of ReadSeal.
func (r Reader) ReadStaff(ctx context.Context, ch reader.Channel) (Staff, error) {
	record, err := r.read(ctx, ch)
	if err != nil {
		return Staff{}, err
	}
	fields, err := decodeFields(record, 3)
	if err != nil {
		return Staff{}, err
	}
	s := Staff{Number: fields[0], Body: fields[1]}
	if d := fields[2]; len(d) == 8 {
		s.ValidUntil, err = jitsuin.ParseDate(d[:4] + "-" + d[4:6] + "-" + d[6:])
	} else {
		err = jitsuin.Errorf(jitsuin.Invalid, "record-form", "the staff card's last day cannot be read")
	}
	return s, err
}

// Admit is what a door does: it reads the card and opens on the day today, or says why not: the errors of ReadStaff, and
// Expired "staff-card-over".
func (r Reader) Admit(ctx context.Context, ch reader.Channel, today jitsuin.Date) (Staff, error) {
	s, err := r.ReadStaff(ctx, ch)
	if err == nil && today.After(s.ValidUntil) {
		err = jitsuin.Errorf(jitsuin.Expired, "staff-card-over", "the staff card was valid until %v", s.ValidUntil)
	}
	return s, err
}
