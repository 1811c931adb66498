package country

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"fmt"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card"
	"github.com/jitsuin/jitsuin/card/freearea"
	"github.com/jitsuin/jitsuin/card/reader"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	minister "github.com/jitsuin/jitsuin/minister/api"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// The sandbox's providers of applications in the free area of cards (空き領域), besides the towns. They only call.
const (
	Ministry = "provider:ministry-1" // an invented ministry with staff cards
	Railway  = "provider:railway-1"  // an invented private operator
)

// SealTown is the town that has an ordinance on the seal-registration application.
const SealTown jitsuin.MunicipalityCode = "91201"

// grounds gives the sandbox one ground of each kind: a town's ordinance, a designation of a national body, one of a
// private operator. Repeated, it changes nothing, also where one has been withdrawn since.
func (f Folder) grounds(ctx context.Context, today jitsuin.Date) error {
	if err := f.designations(ctx, today); err != nil {
		return fmt.Errorf("designations: %w", err)
	}
	remote, err := f.Remote(Counter(SealTown), Town(SealTown))
	if err != nil {
		return err
	}
	defer remote.Close()
	office := town.Client{Remote: remote}
	have, err := office.Ordinances(ctx)
	if err != nil || len(have) > 0 {
		return err
	}
	_, err = office.Enact(ctx, town.OrdinanceRequest{Number: "令和8年朝霧野市条例第12号（見本）", Title: "朝霧野市印鑑条例", Name: "印鑑登録証", NameEN: "Seal registration card",
		AID: fmt.Sprintf("%X", freearea.SealAID(SealTown)), Purpose: "印鑑登録証明書の交付（窓口及びコンビニエンスストア）", Bytes: 1024, From: today}, string(jitsuin.NewID()))
	if err != nil {
		return fmt.Errorf("ordinance of %s: %w", SealTown, err)
	}
	return nil
}

func (f Folder) designations(ctx context.Context, today jitsuin.Date) error {
	remote, err := f.Remote(Official, Minister)
	if err != nil {
		return err
	}
	defer remote.Close()
	office := minister.Client{Remote: remote}
	have, err := office.Designations(ctx)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, d := range have {
		known[d.Provider] = true
	}
	for _, r := range []minister.DesignationRequest{
		{Provider: Ministry, Body: "例示省（見本）", BodyEN: "Ministry of Examples (invented)", Name: "国家公務員身分証", NameEN: "Staff card of a ministry", AID: fmt.Sprintf("%X", freearea.StaffAID),
			Ground: minister.GroundPublicBody, Purpose: "職員の身分の証明及び庁舎への入退の管理", Bytes: 1024, From: today},
		{Provider: Railway, Body: "雲居鉄道株式会社（見本）", BodyEN: "Kumoi Railway Co. (invented)", Name: "定期券（見本）", NameEN: "Season ticket (example)", AID: "F04A49545355020201",
			Ground: minister.GroundOperator, Purpose: "定期乗車券の確認", Bytes: 512, From: today, Until: today.AddDays(365)},
	} {
		if known[r.Provider] {
			continue
		}
		if _, err := office.Designate(ctx, r, string(jitsuin.NewID())); err != nil {
			return err
		}
	}
	return nil
}

// LoadStaff lays the ministry's staff card on the card on the channel, as the ministry's own terminal does: it asks J-LIS
// for a ticket, and the ministry's key answers the chip. Loaded again it is written anew.
func (f Folder) LoadStaff(ctx context.Context, ch reader.Channel, staff freearea.Staff) error {
	record, err := staff.Encode()
	if err != nil {
		return err
	}
	provider, err := f.keyOf("ministry-application")
	if err != nil {
		return err
	}
	readers, err := f.keyOf("ministry-readers")
	if err != nil {
		return err
	}
	point, err := readers.Key.PublicKey.Bytes()
	if err != nil {
		return err
	}
	area, err := f.openAs(ctx, ch, Ministry, freearea.StaffAID, provider.Key, jlis.OperationLoad, jlis.OperationPersonalise)
	if err != nil {
		return err
	}
	return freearea.Load(ctx, area, freearea.StaffAID, point, func(_ context.Context, public *ecdsa.PublicKey) (_, signature []byte, err error) {
		signature, err = freearea.Sign(provider.Key, freearea.StaffAID, public, record)
		return record, signature, err
	})
}

// DeleteStaff takes the staff card off, as the ministry: also after its designation was withdrawn.
func (f Folder) DeleteStaff(ctx context.Context, ch reader.Channel) error {
	provider, err := f.keyOf("ministry-application")
	if err != nil {
		return err
	}
	area, err := f.openAs(ctx, ch, Ministry, freearea.StaffAID, provider.Key, jlis.OperationDelete)
	if err != nil {
		return err
	}
	return area.Delete(ctx, freearea.StaffAID)
}

// openAs opens the free area of a card with a ticket that J-LIS gives the provider.
func (f Folder) openAs(ctx context.Context, ch reader.Channel, provider string, aid []byte, key *ecdsa.PrivateKey, operations ...string) (*reader.FreeArea, error) {
	remote, err := f.Remote(provider, JLIS)
	if err != nil {
		return nil, err
	}
	defer remote.Close()
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	area, err := reader.OpenFreeArea(ctx, ch)
	if err != nil {
		return nil, err
	}
	ticket, err := jlis.Client{Remote: remote}.Ticket(ctx, jlis.TicketRequest{AID: fmt.Sprintf("%X", aid), Chip: area.Chip, Challenge: area.Challenge, PublicKey: public, Operations: operations})
	if err != nil {
		return nil, err
	}
	data, err := card.SignTicket(rand.Reader, ticket.Ticket, key, area.Challenge)
	if err != nil {
		return nil, err
	}
	return area, area.Authenticate(ctx, data)
}

// Door gives the reader at the ministry's door, with a key of its own that the ministry has certified.
func (f Folder) Door() (freearea.Reader, error) {
	provider, err := f.keyOf("ministry-application")
	if err != nil {
		return freearea.Reader{}, err
	}
	readers, err := f.keyOf("ministry-readers")
	if err != nil {
		return freearea.Reader{}, err
	}
	door, err := f.keyOf("ministry-door")
	if err != nil {
		return freearea.Reader{}, err
	}
	certificate, err := card.ReaderCertificate(rand.Reader, readers.Key, freearea.StaffAID, &door.Key.PublicKey)
	return freearea.Reader{AID: freearea.StaffAID, Certificate: certificate, Key: door.Key, Provider: &provider.Key.PublicKey}, err
}

// What a Ground stands on: items of article 18 of the My Number Act (番号法18条).
const (
	LawOrdinance   = "18-1" // a municipality's ordinance
	LawDesignation = "18-2" // the minister's designation
)

// Ground is something that may lie in the free area of a card, and by what.
type Ground struct {
	AID           []byte
	Name, NameEN  string
	Body, BodyEN  string
	Law           string // LawOrdinance or LawDesignation
	By            string // the ordinance's number, or the minister's designation
	Purpose       string
	From, Until   jitsuin.Date
	InForce, Over bool // today; over is withdrawn, repealed or past its last day
}

// Grounds lists every designation and ordinance of the country, as everybody may read them.
func (f Folder) Grounds(ctx context.Context, today jitsuin.Date) ([]Ground, error) {
	remote, err := f.Remote(Official, Minister)
	if err != nil {
		return nil, err
	}
	defer remote.Close()
	designations, err := minister.Client{Remote: remote}.Designations(ctx)
	if err != nil {
		return nil, err
	}
	var all []Ground
	for _, d := range designations {
		g := Ground{Name: d.Name, NameEN: d.NameEN, Body: d.Body, BodyEN: d.BodyEN, Law: LawDesignation, By: "主務大臣の指定", Purpose: d.Purpose, From: d.From, Until: d.Until,
			InForce: d.InForceOn(today), Over: d.State != minister.InForce || !d.Until.IsZero() && today.After(d.Until)}
		if g.AID, err = card.ParseProviderAID(d.AID); err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	facts, err := f.Facts()
	if err != nil {
		return nil, err
	}
	for _, m := range facts.Sample().Municipalities {
		of, err := f.ordinancesOf(ctx, m.Code, today)
		if err != nil {
			return nil, err
		}
		for _, g := range of {
			g.Body, g.BodyEN = m.Name, m.Romaji
			all = append(all, g)
		}
	}
	return all, nil
}

func (f Folder) ordinancesOf(ctx context.Context, code jitsuin.MunicipalityCode, today jitsuin.Date) ([]Ground, error) {
	remote, err := f.Remote(Counter(code), Town(code))
	if err != nil {
		return nil, err
	}
	defer remote.Close()
	have, err := town.Client{Remote: remote}.Ordinances(ctx)
	if err != nil {
		return nil, err
	}
	var all []Ground
	for _, o := range have {
		g := Ground{Name: o.Name, NameEN: o.NameEN, Law: LawOrdinance, By: o.Number, Purpose: o.Purpose, From: o.From, Until: o.Until,
			InForce: o.InForceOn(today), Over: o.State != town.InForce || !o.Until.IsZero() && today.After(o.Until)}
		if g.AID, err = card.ParseProviderAID(o.AID); err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, nil
}
