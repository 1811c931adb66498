package contents_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
)

var update = flag.Bool("update", false, "write the golden files anew")

// key gives a key of the tests, which lies in testdata so that golden files stay as they are.
func key(t testing.TB, name string) *rsa.PrivateKey {
	t.Helper()
	path := filepath.Join("testdata", name+".pem")
	raw, err := os.ReadFile(path)
	if err != nil && *update {
		made, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(made)
		if err != nil {
			t.Fatal(err)
		}
		raw = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	} else if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.(*rsa.PrivateKey)
}

// sample is a card of an invented person with everything that is written on it.
type sample struct {
	anchor                                             contents.Anchor
	root, issuer, text, visual, session                *rsa.PrivateKey
	items                                              jitsuin.FourItems
	face                                               contents.Face
	cvc, number, itemsEF, authentic, basics, sessionEF []byte
	ownEF, ageEF, faceEF, visualBasics, numberEF       []byte
	record                                             []byte
}

const myNumber jitsuin.MyNumber = "123456789018"

var (
	rootID   = contents.NewKeyID('R', "00000001")
	issuerID = contents.NewKeyID('I', "00000001")
	expiry   = jitsuin.Date{Year: 2035, Month: 2, Day: 17}
)

func newSample(t testing.TB) *sample {
	t.Helper()
	s := &sample{root: key(t, "root"), issuer: key(t, "issuer"), text: key(t, "text"), visual: key(t, "visual"), session: key(t, "session")}
	s.anchor = contents.Anchor{ID: rootID, Key: &s.root.PublicKey}
	s.items = jitsuin.FourItems{Name: "見本　花子", Address: "雲居県朝霧野市貝寄町４丁目３２番１７号", BirthDate: jitsuin.Date{Year: 1980, Month: 2, Day: 17}, Sex: jitsuin.Female}
	s.face = contents.Face{BirthDate: s.items.BirthDate, Sex: s.items.Sex, OwnKey: &s.visual.PublicKey, Name: []byte("PNG of the name"),
		Address: bytes.Repeat([]byte("PNG of the address "), 10), Photo: bytes.Repeat([]byte("JP2 "), 300), Expiry: expiry, Code: []byte("PNG of the code")}
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	sign := func(key *rsa.PrivateKey, tbs []byte) []byte {
		t.Helper()
		if !contents.IsSigned(tbs) {
			t.Fatalf("%x… is not known as something to sign", tbs[:8])
		}
		return must(contents.Sign(key, tbs))
	}
	tbs := must(contents.CVCToSign(rootID, issuerID, &s.issuer.PublicKey))
	s.cvc = must(contents.AssembleCVC(tbs, sign(s.root, tbs)))
	s.number = contents.MyNumberFile(myNumber)
	s.itemsEF = must(contents.ItemsFile(s.items))
	tbs = must(contents.AuthenticToSign(s.number, s.itemsEF))
	s.authentic = contents.AuthenticFile(tbs, sign(s.issuer, tbs))
	s.basics = contents.TextBasicsFile(issuerID)
	s.sessionEF = must(contents.SessionKeyFile(&s.session.PublicKey))
	tbs = must(contents.OwnKeyToSign(&s.text.PublicKey))
	s.ownEF = contents.OwnKeyFile(tbs, sign(s.issuer, tbs))
	tbs = must(contents.AgeToSign(s.items.BirthDate, &s.visual.PublicKey))
	s.ageEF = contents.AgeFile(tbs, sign(s.issuer, tbs))
	tbs = must(contents.FaceToSign(s.face))
	s.faceEF = must(contents.FaceFile(s.face, sign(s.issuer, tbs)))
	s.visualBasics = contents.VisualBasicsFile(contents.VisualBasics{Key: issuerID, Municipality: "91201"})
	tbs = must(contents.NumberToSign([]byte("PNG of My Number"), &s.visual.PublicKey))
	s.numberEF = contents.NumberFile(tbs, sign(s.issuer, tbs))
	s.record = must(contents.CardNumber{Serial: "400000012719843", Municipality: "91201", Expiry: expiry}.Record())
	return s
}

// files are the files of the sample by the names of their golden files.
func (s *sample) files() map[string][]byte {
	return map[string][]byte{"text-0001-my-number": s.number, "text-0002-items": s.itemsEF, "text-0003-authentic": s.authentic, "text-0004-cvc": s.cvc,
		"text-0005-basics": s.basics, "text-0006-session-key": s.sessionEF, "text-0007-own-key": s.ownEF, "visual-0001-age": s.ageEF, "visual-0002-face": s.faceEF,
		"visual-0003-basics": s.visualBasics, "visual-0005-my-number": s.numberEF, "common-0001-record-1": s.record}
}

// Every file has, byte for byte, the form that was seen on a test card, with invented data.
func TestGoldenFiles(t *testing.T) {
	s := newSample(t)
	for name, got := range s.files() {
		path := filepath.Join("testdata", name+".txt")
		text := explain(name, got)
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != text {
			t.Errorf("%s differs:\n%s", name, text)
		}
	}
}

// meanings say what an object is. A tag means something else in the text and the visual application.
var meanings = map[string]string{
	"text FF10": "個人番号 (EF 0001); 17 bytes with filler", "text FF20": "基本4情報 (EF 0002)", "text DF21": "offsets of what follows, from the first byte of the file",
	"text DF22": "氏名", "text DF23": "住所", "text DF24": "生年月日", "text DF25": "性別, JIS X 0303",
	"text FF30": "真正性 (EF 0003)", "text DF31": "SHA-256 of EF 0001, all 17 bytes", "text DF32": "SHA-256 of EF 0002 from DF22 on", "text DF33": "signature over DF31 and DF32",
	"text FF40": "AP基本情報 (EF 0005); the length has a byte more than it needs", "text DF41": "version", "text DF42": "key id", "text DF43": "use unknown",
	"text FF50": "own key, signed (EF 0007)", "text DF51": "public key of 0013", "text DF52": "signature over DF51", "text A1": "public key for session keys (EF 0006)",
	"visual FF10": "年齢確認 (EF 0001)", "visual DF11": "生年月日", "visual DF12": "public key of 001A", "visual DF13": "signature over DF11 and DF12",
	"visual FF20": "券面 (EF 0002)", "visual DF21": "offsets of what follows, from the first byte of the file", "visual DF22": "生年月日", "visual DF23": "性別, JIS X 0303",
	"visual DF24": "public key of 001A", "visual DF25": "氏名, PNG", "visual DF26": "住所, PNG", "visual DF27": "顔写真, JPEG 2000",
	"visual DF28": "signature over the digests of DF22 to DF24, of DF25 and DF26, of DF27", "visual DF29": "有効期限, not signed", "visual DF2A": "セキュリティコード, PNG, not signed",
	"visual FF30": "基本情報 (EF 0003)", "visual DF31": "version", "visual DF32": "key id", "visual DF33": "version", "visual DF34": "全国地方公共団体コード, five digits", "visual DF35": "use unknown",
	"visual FF40": "個人番号の画像 (EF 0005)", "visual DF41": "PNG", "visual DF42": "public key of 001A", "visual DF43": "signature over DF41 and DF42",
	"7F21": "card-verifiable certificate (EF 0004)", "5F4E": "証明者鍵ID, 被証明者鍵ID, key (90 exponent, 91 modulus)", "5F37": "signature over the value of 5F4E",
	"90": "exponent", "91": "modulus",
}

// explain writes a file as one line an object: where it begins, tag, length as written, value, and what it is.
func explain(name string, b []byte) string {
	ap, _, _ := strings.Cut(name, "-")
	var out strings.Builder
	fmt.Fprintf(&out, "%d bytes, SHA-256 %x\n", len(b), sha256.Sum256(b))
	walk(&out, ap, b, 0, 0)
	return out.String()
}

func walk(out *strings.Builder, ap string, b []byte, at, depth int) {
	for len(b) > 0 {
		tag := 1
		if b[0]&0x1F == 0x1F {
			tag = 2
		}
		if len(b) < tag+1 || b[0] == 0xFF && b[1] == 0xFF || b[0] == 0x01 {
			fmt.Fprintf(out, "%04X %s%x\n", at, strings.Repeat("  ", depth), b)
			return
		}
		n, head := int(b[tag]), tag+1
		if n == 0x81 {
			n, head = int(b[tag+1]), tag+2
		} else if n == 0x82 {
			n, head = int(b[tag+1])<<8|int(b[tag+2]), tag+3
		}
		fmt.Fprintf(out, "%04X %s%X %X", at, strings.Repeat("  ", depth), b[:tag], b[tag:head])
		value := b[head : head+n]
		switch {
		case b[0] == 0xFF && n != 12, b[0] == 0x7F, bytes.HasPrefix(value, []byte{0x90, 0x03}):
			fmt.Fprintf(out, "  # %s\n", meaning(ap, b[:tag]))
			walk(out, ap, value, at+head, depth+1)
		default:
			fmt.Fprintf(out, " %x  # %s\n", value, meaning(ap, b[:tag]))
		}
		b, at = b[head+n:], at+head+n
	}
}

func meaning(ap string, tag []byte) string {
	for _, key := range []string{fmt.Sprintf("%s %X", ap, tag), fmt.Sprintf("%X", tag)} {
		if m := meanings[key]; m != "" {
			return m
		}
	}
	return "NOT EXPLAINED"
}

// The sizes and beginnings that sources give.
func TestSizesAsObserved(t *testing.T) {
	s := newSample(t)
	for _, c := range []struct {
		name  string
		file  []byte
		size  int
		begin string
	}{
		{"My Number", s.number, 17, "ff100c313233"},
		{"authenticity", s.authentic, 336, "ff3082014bdf3120"},
		{"certificate", s.cvc, 568, "7f218202335f4e820129"},
		{"own key", s.ownEF, 5 + 0x213, "ff50820213df5182010990030100019182"},
		{"age", s.ageEF, 5 + 0x21E, "ff1082021edf11083139383030323137df12820109"},
		{"basics, padded", s.basics, 256, "ff4082009fdf410401030e01df4210"},
		{"record", s.record, 30, "011c34"},
	} {
		if len(c.file) != c.size || !strings.HasPrefix(hex.EncodeToString(c.file), c.begin) {
			t.Errorf("%s: %d bytes %x…, want %d bytes %s…", c.name, len(c.file), c.file[:16], c.size, c.begin)
		}
	}
	if rest := s.basics[contents.BasicsSize:]; !bytes.Equal(rest, bytes.Repeat([]byte{0xFF}, len(rest))) {
		t.Errorf("basics have more than %d bytes: %x", contents.BasicsSize, rest)
	}
	// The example of a test card: name, address and the table that belongs to them.
	example, err := contents.ItemsFile(jitsuin.FourItems{Name: "黒栗　幹乾"[:15], Address: strings.Repeat("あ", 18), BirthDate: jitsuin.Date{Year: 1980, Month: 2, Day: 17}, Sex: jitsuin.Male})
	if err != nil || !strings.HasPrefix(hex.EncodeToString(example), "ff2065df2108000e002000590064df220f") || !strings.HasSuffix(hex.EncodeToString(example), "df24083139383030323137df250131") {
		t.Errorf("items: %x %v", example, err)
	}
}

// What was written is read back, and a reader that trusts the root believes it.
func TestReadersBelieve(t *testing.T) {
	s := newSample(t)
	if n, err := contents.ParseMyNumber(s.number); err != nil || n != myNumber {
		t.Errorf("My Number: %v", err)
	}
	if got, err := contents.ParseItems(s.itemsEF); err != nil || got != s.items {
		t.Errorf("items %+v, %v", got, err)
	}
	if err := s.anchor.VerifyText(s.number, s.itemsEF, s.authentic, s.cvc); err != nil {
		t.Error(err)
	}
	if err := s.anchor.VerifyText(nil, s.itemsEF, s.authentic, s.cvc); err != nil {
		t.Errorf("the four items alone: %v", err)
	}
	if key, err := s.anchor.VerifyOwnKey(s.ownEF, s.cvc); err != nil || !key.Equal(&s.text.PublicKey) {
		t.Errorf("own key: %v", err)
	}
	if key, err := contents.ParseSessionKey(s.sessionEF); err != nil || !key.Equal(&s.session.PublicKey) {
		t.Errorf("session key: %v", err)
	}
	if _, id, err := contents.ParseTextBasics(s.basics); err != nil || id != issuerID {
		t.Errorf("basics: %q %v", id, err)
	}
	if _, id, err := contents.ParseTextBasics(s.basics[:contents.BasicsSize]); err != nil || id != issuerID {
		t.Errorf("basics without padding: %q %v", id, err)
	}
	if birth, own, err := s.anchor.VerifyAge(s.ageEF, s.cvc); err != nil || birth != s.items.BirthDate || !own.Equal(&s.visual.PublicKey) {
		t.Errorf("age: %v %v", birth, err)
	}
	face, err := s.anchor.VerifyFace(s.faceEF, s.cvc)
	if err != nil || !bytes.Equal(face.Photo, s.face.Photo) || face.Expiry != expiry || !face.OwnKey.Equal(&s.visual.PublicKey) || !bytes.Equal(face.Code, s.face.Code) {
		t.Errorf("face: %v", err)
	}
	if got, err := contents.ParseVisualBasics(s.visualBasics); err != nil || got.Municipality != "91201" || got.Key != issuerID {
		t.Errorf("visual basics: %+v %v", got, err)
	}
	if picture, err := s.anchor.VerifyNumber(s.numberEF, s.cvc); err != nil || string(picture) != "PNG of My Number" {
		t.Errorf("picture of My Number: %v", err)
	}
	if n, err := contents.ParseCardNumber(s.record); err != nil || n.Serial != "400000012719843" || n.Municipality != "91201" || n.Expiry != expiry {
		t.Errorf("card number: %+v %v", n, err)
	}
	if b, err := contents.NumberB(s.items.BirthDate, expiry, "2285"); err != nil || b.Reveal() != "55021720352285" {
		t.Errorf("check number B: %v", err)
	}
	if a := contents.NumberA(myNumber); a.Reveal() != "123456789018" || fmt.Sprint(a) != "***" {
		t.Error("check number A is not My Number, or it prints")
	}
}

// An anchor travels as PEM; what is no anchor is refused.
func TestAnchorsTravel(t *testing.T) {
	s := newSample(t)
	text, err := s.anchor.PEM()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := contents.ParseAnchor(text); err != nil || got.ID != s.anchor.ID || !got.Key.Equal(s.anchor.Key) {
		t.Errorf("%s reads as %q, %v", text, got.ID, err)
	}
	for name, bad := range map[string]string{"nothing": "", "no key id": strings.Replace(string(text), "Key-Id", "Other", 1), "a short key id": strings.Replace(string(text), "Key-Id: 4a", "Key-Id: ", 1),
		"two keys": string(text) + string(text), "a private key": strings.ReplaceAll(string(text), "PUBLIC", "PRIVATE"), "a broken key": strings.Replace(string(text), "MIIB", "AAAA", 1)} {
		if _, err := contents.ParseAnchor([]byte(bad)); jitsuin.CodeOf(err) != "face-anchor" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (contents.Anchor{}).PEM(); jitsuin.CodeOf(err) != "key-algorithm" {
		t.Errorf("an anchor without key: %v", err)
	}
}

// A child without a photo has the object, empty.
func TestAFaceWithoutPhoto(t *testing.T) {
	s := newSample(t)
	s.face.Photo = nil
	tbs, err := contents.FaceToSign(s.face)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := contents.Sign(s.issuer, tbs)
	if err != nil {
		t.Fatal(err)
	}
	file, err := contents.FaceFile(s.face, sig)
	if err != nil {
		t.Fatal(err)
	}
	if face, err := s.anchor.VerifyFace(file, s.cvc); err != nil || len(face.Photo) != 0 {
		t.Errorf("%d bytes of photo, %v", len(face.Photo), err)
	}
}

// The signature of a face is over three digests: openssl would call it wrong, and each part counts.
func TestTheFacesSignature(t *testing.T) {
	s := newSample(t)
	tbs, err := contents.FaceToSign(s.face)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := contents.Sign(s.issuer, tbs)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(tbs)
	if rsa.VerifyPKCS1v15(&s.issuer.PublicKey, crypto.SHA256, sum[:], sig) == nil {
		t.Error("it is over one digest")
	}
	for _, spoil := range []func(*contents.Face){
		func(f *contents.Face) { f.BirthDate.Day++ }, func(f *contents.Face) { f.Sex = jitsuin.Male }, func(f *contents.Face) { f.OwnKey = &s.text.PublicKey },
		func(f *contents.Face) { f.Name = append([]byte("x"), f.Name...) }, func(f *contents.Face) { f.Address = nil }, func(f *contents.Face) { f.Photo = f.Photo[1:] },
	} {
		other := s.face
		spoil(&other)
		file, err := contents.FaceFile(other, sig)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.anchor.VerifyFace(file, s.cvc); jitsuin.CodeOf(err) != "card-signature" {
			t.Errorf("a changed face: %v", err)
		}
	}
	other := s.face
	other.Expiry, other.Code = expiry.AddDays(1), []byte("another") // not signed on real cards
	file, err := contents.FaceFile(other, sig)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.anchor.VerifyFace(file, s.cvc); err != nil {
		t.Errorf("what is not signed: %v", err)
	}
}

// For everything that is believed, a near copy that is not.
func TestNearCopiesAreRefused(t *testing.T) {
	s := newSample(t)
	wrong := func(name string, err error, codes ...string) {
		t.Helper()
		for _, code := range codes {
			if jitsuin.CodeOf(err) == code {
				return
			}
		}
		t.Errorf("%s: %v, want %v", name, err, codes)
	}
	flip := func(b []byte, at int) []byte {
		c := bytes.Clone(b)
		c[(at+len(c))%len(c)] ^= 1
		return c
	}
	other := s.items
	other.Address += "１"
	moved, err := contents.ItemsFile(other)
	if err != nil {
		t.Fatal(err)
	}
	wrong("another address", s.anchor.VerifyText(s.number, moved, s.authentic, s.cvc), "card-digest")
	wrong("another number", s.anchor.VerifyText(contents.MyNumberFile("210987654321"), s.itemsEF, s.authentic, s.cvc), "card-digest")
	wrong("another digest in the file", s.anchor.VerifyText(s.number, s.itemsEF, flip(s.authentic, 10), s.cvc), "card-signature")
	wrong("a changed signature", s.anchor.VerifyText(s.number, s.itemsEF, flip(s.authentic, -1), s.cvc), "card-signature")
	wrong("a changed certificate", s.anchor.VerifyText(s.number, s.itemsEF, s.authentic, flip(s.cvc, -1)), "card-signature")
	wrong("another key in it", s.anchor.VerifyText(s.number, s.itemsEF, s.authentic, flip(s.cvc, 300)), "card-signature")
	wrong("another authority", contents.Anchor{ID: issuerID, Key: s.anchor.Key}.VerifyText(s.number, s.itemsEF, s.authentic, s.cvc), "card-certificate")
	wrong("another root key", contents.Anchor{ID: rootID, Key: &s.issuer.PublicKey}.VerifyText(s.number, s.itemsEF, s.authentic, s.cvc), "card-signature")
	_, err = s.anchor.VerifyOwnKey(flip(s.ownEF, 100), s.cvc)
	wrong("another own key", err, "card-signature")
	_, _, err = s.anchor.VerifyAge(flip(s.ageEF, 15), s.cvc)
	wrong("another date of birth", err, "card-signature", "card-content")
	_, err = s.anchor.VerifyNumber(flip(s.numberEF, 10), s.cvc)
	wrong("another picture", err, "card-signature")

	// Form: each file one byte shorter, one longer, with another tag, another length.
	for name, file := range s.files() {
		parse := parsers[name]
		if err := parse(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wrong(name+" cut", parse(file[:len(file)-1-max(0, strings.Count(name, "basics")*100)]), "card-content")
		wrong(name+" longer", parse(append(bytes.Clone(file), 0)), "card-content")
		wrong(name+", another tag", parse(flip(file, 0)), "card-content")
		wrong(name+", another length", parse(flip(file, lengthAt(file))), "card-content")
		wrong(name+" empty", parse(nil), "card-content")
	}
	bent := bytes.Clone(s.itemsEF)
	bent[7]++
	wrong("an offset that points elsewhere", parsers["text-0002-items"](bent), "card-content")
	for _, digits := range []string{"12345678901", "1234567890123", "12345678901x"} {
		wrong("a number "+digits, parsers["text-0001-my-number"](contents.MyNumberFile(jitsuin.MyNumber(digits))), "card-content")
	}
	if _, err := contents.ItemsFile(jitsuin.FourItems{Name: "見本　花子", Address: strings.Repeat("あ", 201), BirthDate: s.items.BirthDate, Sex: "1"}); jitsuin.CodeOf(err) != "four-items" {
		t.Errorf("an address of 201 characters: %v", err)
	}
	if long, err := contents.ItemsFile(jitsuin.FourItems{Name: strings.Repeat("𠮷", 100), Address: strings.Repeat("あ", 200), BirthDate: s.items.BirthDate, Sex: "9"}); err != nil || parsers["text-0002-items"](long) != nil {
		t.Errorf("the longest items: %v", err)
	}
	for _, code := range []string{"", "228", "22855", "228x"} {
		if _, err := contents.NumberB(s.items.BirthDate, expiry, code); jitsuin.CodeOf(err) != "security-code" {
			t.Errorf("security code %q: %v", code, err)
		}
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err == nil {
		if _, err := contents.OwnKeyToSign(&small.PublicKey); jitsuin.CodeOf(err) != "key-algorithm" {
			t.Errorf("a key of 1024 bits: %v", err)
		}
	}
}

// lengthAt is where the outer length's last byte is.
func lengthAt(file []byte) int {
	if file[0] == 0x01 || file[0] == 0xA1 {
		return 1
	}
	if file[2] == 0x82 {
		return 4
	}
	if file[2] == 0x81 {
		return 3
	}
	return 2
}

var parsers = map[string]func([]byte) error{
	"text-0001-my-number":   func(b []byte) error { _, err := contents.ParseMyNumber(b); return err },
	"text-0002-items":       func(b []byte) error { _, err := contents.ParseItems(b); return err },
	"text-0004-cvc":         func(b []byte) error { _, err := contents.ParseCVC(b); return err },
	"text-0005-basics":      func(b []byte) error { _, _, err := contents.ParseTextBasics(b); return err },
	"text-0006-session-key": func(b []byte) error { _, err := contents.ParseSessionKey(b); return err },
	"visual-0002-face":      func(b []byte) error { _, err := contents.ParseFace(b); return err },
	"visual-0003-basics":    func(b []byte) error { _, err := contents.ParseVisualBasics(b); return err },
	"common-0001-record-1":  func(b []byte) error { _, err := contents.ParseCardNumber(b); return err },
}

func init() {
	// Those that are read while they are verified: the form comes first, the certificate after it.
	form := func(verify func([]byte) error) func([]byte) error {
		return func(b []byte) error {
			if err := verify(b); err != nil && !strings.Contains(err.Error(), "card-verifiable certificate") {
				return err
			}
			return nil
		}
	}
	none := contents.Anchor{}
	parsers["text-0003-authentic"] = form(func(b []byte) error { return none.VerifyText(nil, nil, b, nil) })
	parsers["text-0007-own-key"] = form(func(b []byte) error { _, err := none.VerifyOwnKey(b, nil); return err })
	parsers["visual-0001-age"] = form(func(b []byte) error { _, _, err := none.VerifyAge(b, nil); return err })
	parsers["visual-0005-my-number"] = form(func(b []byte) error { _, err := none.VerifyNumber(b, nil); return err })
}

// FuzzParse: no file that a card gives brings a reader down, and what is read is written again alike.
func FuzzParse(f *testing.F) {
	s := newSample(f)
	for _, file := range s.files() {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, parse := range parsers {
			parse(file)
		}
		contents.IsSigned(file)
		if items, err := contents.ParseItems(file); err == nil && items.Check() == nil {
			again, err := contents.ItemsFile(items)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := contents.ParseItems(again); err != nil || got != items {
				t.Fatalf("%+v becomes %+v, %v", items, got, err)
			}
		}
	})
}
