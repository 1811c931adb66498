package explain

// Text is one thing said in both languages.
type Text struct{ JA, EN string }

// In gives the text in "ja", and in English for everything else.
func (t Text) In(lang string) string {
	if lang == "ja" {
		return t.JA
	}
	return t.EN
}

// Applications of the Individual Number Card, with the files that are known of them (from public clients
// and measurements on a test card).
var applications = []application{
	{"\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01", Text{"公的個人認証アプリ", "the JPKI application"}, []file{
		{0x0001, Text{"署名用電子証明書", "signature certificate"}, false},
		{0x0002, Text{"署名用CAの証明書", "CA certificate for signatures"}, false},
		{0x0006, Text{"カードの種類の表示", "kind of card"}, false},
		{0x0008, Text{"どの証明書があるか", "which certificates are there"}, false},
		{0x000A, Text{"利用者証明用電子証明書", "authentication certificate"}, false},
		{0x000B, Text{"利用者証明用CAの証明書", "CA certificate for authentication"}, false},
		{0x000C, Text{"個人番号", "My Number"}, true}, // of the next card
		{0x000D, Text{"基本4情報", "the four items"}, false},
		{0x000E, Text{"真正性を確かめる署名", "signature over number and items"}, true},
		{0x0017, Text{"利用者証明用の鍵", "authentication key"}, false},
		{0x0018, Text{"利用者証明用の暗証番号", "authentication PIN"}, false},
		{0x001A, Text{"署名用の鍵", "signature key"}, false},
		{0x001B, Text{"署名用の暗証番号", "signature password"}, false},
	}},
	{"\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x08", Text{"券面事項入力補助アプリ", "the application that fills in forms"}, []file{
		{0x0001, Text{"個人番号", "My Number"}, true},
		{0x0002, Text{"基本4情報", "the four items"}, false},
		{0x0003, Text{"真正性を確かめる署名", "signature over number and items"}, true}, // its hash of My Number is found by trying all
		{0x0004, Text{"カード発行者の証明書", "certificate of the signing authority"}, false},
		{0x0005, Text{"アプリの基本情報", "facts about the application"}, false},
		{0x0006, Text{"セッション鍵のための公開鍵", "public key for session keys"}, false},
		{0x0007, Text{"アプリの鍵の証明", "certificate of the application's key"}, false},
		{0x0011, Text{"券面事項入力補助用の暗証番号", "PIN for filling in forms"}, false},
		{0x0013, Text{"アプリの鍵", "the application's key"}, false},
		{0x0014, Text{"照合番号A", "check number A"}, false},
		{0x0015, Text{"照合番号B", "check number B"}, false},
	}},
	{"\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x02", Text{"券面事項確認アプリ", "the application that shows the card's face"}, []file{
		{0x0001, Text{"年齢の確認", "proof of age"}, false},
		{0x0002, Text{"券面の画像", "the card's face"}, false},
		{0x0003, Text{"アプリの基本情報", "facts about the application"}, false},
		{0x0004, Text{"カード発行者の証明書", "certificate of the signing authority"}, false},
		{0x0005, Text{"個人番号の画像", "picture of My Number"}, true},
		{0x0011, Text{"生年月日", "date of birth as a key"}, false},
		{0x0012, Text{"照合番号B", "check number B"}, false},
		{0x0013, Text{"照合番号A", "check number A"}, false},
		{0x001A, Text{"アプリの鍵", "the application's key"}, false},
	}},
	{"\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x01", Text{"住基アプリ", "the resident registry's application"}, []file{
		{0x0001, Text{"住民票コード", "resident code"}, true},
		{0x0002, Text{"鍵の番号", "reference of a key"}, false},
		{0x001C, Text{"住基アプリの暗証番号", "PIN of the registry's application"}, false},
	}},
	{"\xD3\x92\x10\x00\x31\x00\x01\x01\x01\x00", Text{"共通カードアプリ", "the common application"}, []file{
		{0x0001, Text{"製造番号と有効期限", "serial number and last day"}, false},
		{0x0002, Text{"鍵の番号", "reference of a key"}, false},
		{0x0019, Text{"カードの鍵", "the card's key"}, false},
		{0x001C, Text{"共通カードアプリの暗証番号", "PIN of the common application"}, false},
	}},
	{"\xA0\x00\x00\x01\x51\x00\x00\x00", Text{"カード発行者の領域", "the card issuer's domain"}, nil},
}
