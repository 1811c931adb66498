package pdftest

// Numbers of the objects of Contract beside those of Simple.
const (
	Logo      = 7  // an image on the page
	Amount    = 20 // a text field with a value
	AmountAP  = 21 // its appearance
	Agreed    = 22 // a button
	Landlord  = 23 // an empty signature field
	Note      = 24 // an annotation
	Fixed     = 27 // a text field that may only be read
	Structure = 30 // the root of the structure tree
	Element   = 31 // an element of it
)

// Contract makes a file of one page with text, an image, a form, an annotation and a structure tree.
func Contract(style Style) *File {
	f := New()
	appearance := "/Type/XObject/Subtype/Form/BBox[0 0 128 20]/Resources<</Font<</Helv 5 0 R>>>>"
	f.Update(Update{Style: style, Objects: map[int]string{
		Catalog: "<</Type/Catalog/Pages 2 0 R/MarkInfo<</Marked true>>/StructTreeRoot 30 0 R/Metadata 8 0 R" +
			"/Extensions<</ADBE<</BaseVersion/1.7/ExtensionLevel 5>>>>" +
			"/AcroForm<</SigFlags 1/DA(/Helv 0 Tf 0 g)/DR<</Font<</Helv 5 0 R>>>>/Fields[20 0 R 22 0 R 23 0 R 27 0 R]>>>>",
		Pages: "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		Page: "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Annots[20 0 R 22 0 R 23 0 R 24 0 R 27 0 R]" +
			"/Resources<</Font<</F1 5 0 R>>/XObject<</Logo 7 0 R>>>>>>",
		Content: StreamOf("", "BT /F1 12 Tf 72 770 Td (The rent is 80,000 yen.) Tj 0 -20 Td [(It is due ) -200 (on the first.)] TJ ET\n"+
			"q 50 0 0 50 500 700 cm /Logo Do Q 1 w 72 500 m 300 500 l S 0.5 g 100 300 80 40 re f"),
		Font:      "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
		Info:      "<</Title(Contract)/Producer(pdftest)>>",
		Logo:      StreamOf("/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray", "\x80"),
		8:         StreamOf("/Type/Metadata/Subtype/XML", "<x:xmpmeta/>"),
		Amount:    "<</Type/Annot/Subtype/Widget/FT/Tx/T(Amount)/V(80,000)/F 4/P 3 0 R/Rect[72 600 200 620]/AP<</N 21 0 R>>>>",
		AmountAP:  StreamOf(appearance, "/Tx BMC BT /Helv 10 Tf 2 5 Td (80,000) Tj ET EMC"),
		Agreed:    "<</Type/Annot/Subtype/Widget/FT/Btn/T(Agreed)/V/Off/AS/Off/F 4/P 3 0 R/Rect[72 560 92 580]/AP<</N<</Yes 25 0 R/Off 26 0 R>>>>>>",
		Landlord:  "<</Type/Annot/Subtype/Widget/FT/Sig/T(Landlord)/F 4/P 3 0 R/Rect[300 100 400 160]>>",
		Note:      "<</Type/Annot/Subtype/Text/P 3 0 R/Rect[10 10 30 30]/Contents(A note)>>",
		25:        StreamOf(appearance, "0 g 2 2 16 16 re f"),
		26:        StreamOf(appearance, ""),
		Fixed:     "<</Type/Annot/Subtype/Widget/FT/Tx/Ff 1/T(Fixed)/V(1)/F 4/P 3 0 R/Rect[72 640 200 660]>>",
		Structure: "<</Type/StructTreeRoot/K[31 0 R]/ParentTree<</Nums[0 31 0 R]>>/ParentTreeNextKey 1>>",
		Element:   "<</Type/StructElem/S/P/P 30 0 R/Pg 3 0 R/K 0>>",
	}})
	return f
}

// Seal gives the objects of an appearance, for the keys of a visible field: number is that of the stream.
func Seal(number int) map[int]string {
	return map[int]string{number: StreamOf("/Type/XObject/Subtype/Form/BBox[0 0 60 60]", "1 0 0 RG 3 w 5 5 50 50 re S")}
}
