package tour

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hajimehoshi/ebiten/v2/examples/resources/fonts"
	"github.com/signintech/gopdf"

	"github.com/jitsuin/jitsuin"
)

// contractLines is the built-in contract: an invented account agreement between an invented firm
// and an invented resident.
func contractLines(who jitsuin.FourItems, on jitsuin.Date) []string {
	return []string{
		"総合証券口座 開設契約書（見本）",
		"",
		"実印サンド証券株式会社（以下「甲」）と下記の者（以下「乙」）は、",
		"総合証券口座の開設について、次のとおり契約する。",
		"",
		"第１条　甲は乙の申込みにより、乙の名義の口座を開設する。",
		"第２条　乙は、氏名又は住所に異動があったときは、遅滞なく甲に届け出る。",
		"第３条　本契約は、乙が署名用電子証明書により電子署名を行い、",
		"　　　　甲がその有効性を確認したときに成立する。",
		"",
		"契約日　　" + on.String(),
		"甲　　　　実印サンド証券株式会社",
		"乙　氏名　" + who.Name,
		"　　住所　" + who.Address,
		"",
		"この書面は試験用の架空の契約であり、実在の人物・団体とは関係がない。",
	}
}

// BuiltInContract makes the contract as a PDF of one page (A4). The same input gives the same text;
// characters that the font lacks are shown as 〓, never dropped.
func BuiltInContract(who jitsuin.FourItems, on jitsuin.Date) ([]byte, error) {
	pdf := gopdf.GoPdf{}
	pdf.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
	pdf.SetInfo(gopdf.PdfInfo{Title: "総合証券口座 開設契約書（見本）", Creator: "Jitsuin sandbox", CreationDate: on.Start()})
	if err := pdf.AddTTFFontByReader("mplus", bytes.NewReader(fonts.MPlus1pRegular_ttf)); err != nil {
		return nil, fmt.Errorf("contract font: %w", err)
	}
	pdf.AddPage()
	for i, line := range contractLines(who, on) {
		size, y := 12.0, 90+float64(i)*28
		if i == 0 {
			size = 20
		}
		if err := pdf.SetFont("mplus", "", size); err != nil {
			return nil, fmt.Errorf("contract font: %w", err)
		}
		pdf.SetXY(70, y)
		if line == "" {
			continue
		}
		if err := pdf.Text(visible(&pdf, line)); err != nil {
			return nil, fmt.Errorf("contract line %d: %w", i+1, err)
		}
	}
	return pdf.GetBytesPdfReturnErr()
}

// visible replaces characters that the font has no glyph for by the geta mark.
func visible(pdf *gopdf.GoPdf, s string) string {
	return strings.Map(func(r rune) rune {
		if ok, err := pdf.IsCurrFontContainGlyph(r); err != nil || !ok {
			return '〓'
		}
		return r
	}, s)
}
