package freearea

import (
	"context"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/reader"
)

// sealNumber is the seal-registration application's number among a town's own.
const sealNumber = 1

// SealAID names the seal-registration application (印鑑登録証) of a municipality.
func SealAID(code jitsuin.MunicipalityCode) []byte { return card.TownAID(code, sealNumber) }

// Seal is what the seal-registration card says: the number under which the town keeps its holder's seal. With it, at the
// counter or a kiosk, the holder asks for certificates of the seal (印鑑登録証明書).
type Seal struct {
	Municipality jitsuin.MunicipalityCode
	Number       string // 8 digits
}

// Encode writes the record: DF 71 municipality, DF 72 number.
func (s Seal) Encode() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return encodeFields(string(s.Municipality), s.Number)
}

func (s Seal) check() error {
	if err := s.Municipality.Check(); err != nil {
		return err
	}
	if len(s.Number) != 8 || strings.Trim(s.Number, "0123456789") != "" {
		return jitsuin.Errorf(jitsuin.Invalid, "seal-number", "a seal registration number has 8 digits")
	}
	return nil
}

// ReadSeal reads the card on the channel as a kiosk of the town does. Errors as of Reader; see record.go.
func (r Reader) ReadSeal(ctx context.Context, ch reader.Channel) (Seal, error) {
	record, err := r.read(ctx, ch)
	if err != nil {
		return Seal{}, err
	}
	fields, err := decodeFields(record, 2)
	if err != nil {
		return Seal{}, err
	}
	s := Seal{jitsuin.MunicipalityCode(fields[0]), fields[1]}
	return s, s.check()
}
