package explain

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/jitsuin/jitsuin/card"
)

// Words are what an exchange means.
type Words struct {
	Command Text // what was asked for, and of which file
	Detail  Text // how: offsets, amounts, schemes; may be empty
	Answer  Text // what the status word means
	Status  string
	OK      bool // the card did it
}

// Dialogue puts a conversation into words, exchange by exchange. Not for concurrent use. The zero value
// begins with nothing selected.
type Dialogue struct{ place }

// Reset tells that the card forgot what was selected.
func (d *Dialogue) Reset() { d.place = place{} }

// Say puts one exchange into words. It may be one that a Redactor gave.
func (d *Dialogue) Say(e Exchange) Words {
	var w Words
	_, sw, answered := card.SplitResponse(e.Response)
	if answered {
		w.Status, w.OK = sw.String(), sw == card.SWOK
		w.Answer = SayStatus(sw)
	}
	if len(e.Command) < 4 {
		w.Command = Text{fmt.Sprintf("命令になっていない%dバイト", len(e.Command)), fmt.Sprintf("%d bytes that are no command", len(e.Command))}
		return w
	}
	c := header(e.Command)
	w.Command = d.command(c, e.Masked)
	w.Detail = detail(c, e)
	d.follow(c, sw)
	return w
}

// command names the command and the file that it is about.
func (d *Dialogue) command(c card.Command, masked bool) Text {
	name, known := nameOf(c, masked)
	if !known {
		name = Text{"命令 ", "Command "}.with(fmt.Sprintf("%02X %02X", c.CLA, c.INS))
	}
	if c.INS == 0xA4 && c.P1 == 0x04 {
		if a := applicationOf(c.Data); a != nil {
			return name.of(a.name)
		}
		return name.of(Text{"知らないアプリ ", "an application that is not one of the card's own, "}.with(hexOf(c.Data)))
	}
	f, about := d.means(c)
	switch {
	case !about:
		return name
	case f.name == (Text{}):
		return name.of(Text{"ファイル ", "file "}.with(fmt.Sprintf("%04X", f.id)))
	}
	return name.of(f.name)
}

func (t Text) with(s string) Text { return Text{t.JA + s, t.EN + s} }
func (t Text) of(o Text) Text     { return Text{t.JA + "：" + o.JA, t.EN + ": " + o.EN} }

func hexOf(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// nameOf finds an instruction's name.
func nameOf(c card.Command, masked bool) (Text, bool) {
	if c.INS == 0x20 && !masked && len(c.Data) == 0 {
		return Text{"残りの回数を聞く", "Ask for the tries left"}, true
	}
	if c.INS == 0x46 && c.P1 == 0x81 {
		return Text{"公開鍵をもらう", "Get the public key"}, true
	}
	if c.INS == 0x46 && c.P1 == 1 {
		return Text{"新しい公開鍵をもらう", "Get the new public key"}, true
	}
	if c.INS == 0xE2 && c.CLA == 0x80 {
		return Text{"空き領域のアプリに書き込む", "Write into an application of the free area"}, true
	}
	for _, n := range instructions {
		if n.ins == c.INS {
			return n.name, true
		}
	}
	return Text{}, false
}

var instructions = []struct {
	ins  byte
	name Text
}{
	{0xA4, Text{"選ぶ", "Select"}},
	{0xB0, Text{"読む", "Read"}},
	{0xB2, Text{"レコードを読む", "Read a record"}},
	{0x20, Text{"暗証番号を確かめさせる", "Have a PIN checked"}},
	{0x24, Text{"暗証番号を変える", "Change a PIN"}},
	{0x32, Text{"暗証番号を変える", "Change a PIN"}},
	{0x2C, Text{"暗証番号を決める", "Set a PIN"}},
	{0x84, Text{"乱数をもらう", "Get a challenge"}},
	{0x88, Text{"カードが本物であることを示させる", "Have the card prove itself"}},
	{0x82, Text{"端末であることを示す", "Prove to be a terminal"}},
	{0xA2, Text{"端末の証明書を見せる", "Show a terminal's certificate"}},
	{0xAE, Text{"セッション鍵を渡す", "Give a session key"}},
	{0x46, Text{"鍵を作らせる", "Have it make a key"}},
	{0xD6, Text{"書き込む", "Write"}},
	{0xD7, Text{"まるごと書き込む", "Write as a whole"}},
	{0xDA, Text{"カードの情報を書き込む", "Write data about the card"}},
	{0xDC, Text{"レコードを書き込む", "Write a record"}},
	{0xE2, Text{"空き領域のアプリの中身を書き込む", "Write what an application of the free area has"}},
	{0xE4, Text{"空き領域のアプリを消す", "Delete an application of the free area"}},
	{0xE6, Text{"空き領域にアプリを入れる", "Put an application into the free area"}},
	{0xF2, Text{"空き領域に何があるかを聞く", "Ask what lies in the free area"}},
	{0xE4, Text{"空き領域のアプリを消す", "Delete an application of the free area"}},
	{0xE6, Text{"空き領域にアプリを置く", "Lay an application into the free area"}},
	{0xF2, Text{"空き領域のアプリを並べる", "List the applications of the free area"}},
	{0x2A, Text{"署名させる", "Have it sign"}},
	{0xCA, Text{"カードの情報をもらう", "Get data about the card"}},
	{0xCB, Text{"カードの情報をもらう", "Get data about the card"}},
	{0xC0, Text{"返事の続きをもらう", "Get the rest of a response"}},
	{0xFC, Text{"スマートフォンだけが知る命令", "A command that only telephones know"}},
}

// signSchemes are the P1 of COMPUTE DIGITAL SIGNATURE.
var signSchemes = []Text{
	{"渡したデータそのものに PKCS #1 v1.5 の詰め物をする", "PKCS #1 v1.5 over the data as they are"},
	{"カードが SHA-256 を計算する", "the card hashes with SHA-256"},
	{"渡したハッシュ値をカードが DigestInfo に入れる", "the data are a digest, the card makes the DigestInfo"},
	{"カードが SHA-256 を計算し DigestInfo に入れる", "the card hashes with SHA-256 and makes the DigestInfo"},
	{"渡したハッシュ値に PSS で署名する", "PSS over the digest"},
	{"カードが SHA-256 を計算し PSS で署名する", "the card hashes with SHA-256, PSS"},
}

// detail says how a command goes about it.
func detail(c card.Command, e Exchange) Text {
	got := max(len(e.Response)-2, 0)
	hidden := e.Masked && got == 0 // how long it was is not known any more
	switch {
	case hidden && (c.INS == 0xB0 || c.INS == 0xB2):
		return Text{"返事は伏せています", "the response is not shown"}
	case c.INS == 0xB0:
		offset := int(c.P1)<<8 | int(c.P2)
		if c.P1&0x80 != 0 {
			offset = int(c.P2)
		}
		return Text{fmt.Sprintf("%dバイト目から最大%dバイト、届いたのは%dバイト", offset, c.Le, got),
			fmt.Sprintf("from byte %d, at most %d; %d came", offset, c.Le, got)}
	case c.INS == 0xB2:
		return Text{fmt.Sprintf("%d番、届いたのは%dバイト", c.P1, got), fmt.Sprintf("number %d; %d bytes came", c.P1, got)}
	case c.INS == 0x2A && int(c.P1) < len(signSchemes) && !e.Masked:
		t := signSchemes[c.P1]
		if hash := digestInfoOf(c.Data); hash != "" && c.P1 == 0 {
			return Text{t.JA + "（" + hash + " の DigestInfo）", t.EN + " (a DigestInfo of " + hash + ")"}
		}
		return t
	case c.INS == 0x84 || c.INS == 0xCA || c.INS == 0xCB:
		return Text{fmt.Sprintf("%dバイト届いた", got), fmt.Sprintf("%d bytes came", got)}
	}
	return Text{}
}

// digestInfoOf names the hash of a DigestInfo, "" where data is none.
func digestInfoOf(data []byte) string {
	for prefix, name := range map[string]string{
		"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14":             "SHA-1",
		"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04": "SHA-256",
		"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04": "SHA-384",
		"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04": "SHA-512",
	} {
		if bytes.HasPrefix(data, []byte(prefix)) {
			return name
		}
	}
	return ""
}

// SayStatus puts a status word into words.
func SayStatus(sw card.SW) Text {
	if left, ok := sw.Tries(); ok && left == 1 {
		return Text{"残り1回", "1 try left"}
	} else if ok {
		return Text{fmt.Sprintf("残り%d回", left), fmt.Sprintf("%d tries left", left)}
	}
	for _, s := range statusWords {
		if s.sw == sw {
			return s.text
		}
	}
	return Text{"断られた", "refused"}
}

// statusWords are those of JICSAP's specification, and 6983, which some cards say for 6984.
var statusWords = []struct {
	sw   card.SW
	text Text
}{
	{0x9000, Text{"はい", "OK"}},
	{0x6281, Text{"データが壊れているおそれがある", "the data may be damaged"}},
	{0x6283, Text{"選んだファイルは閉じられている", "the selected file is closed"}},
	{0x6300, Text{"認められない", "not accepted"}},
	{0x6400, Text{"実行できなかった", "it could not be done"}},
	{0x6581, Text{"メモリーに書けなかった", "the memory failed"}},
	{0x6700, Text{"長さが違う", "wrong length"}},
	{0x6881, Text{"その論理チャネルはない", "no such logical channel"}},
	{0x6882, Text{"セキュアメッセージングはない", "no secure messaging"}},
	{0x6981, Text{"このファイルには使えない命令", "the command does not fit the file"}},
	{0x6982, Text{"先に確認が必要", "needs proof first"}},
	{0x6983, Text{"ロックされている", "blocked"}},
	{0x6984, Text{"ロックされている", "blocked"}},
	{0x6985, Text{"順番が違う", "out of order"}},
	{0x6986, Text{"ファイルが選ばれていない", "no file is selected"}},
	{0x6988, Text{"セキュアメッセージングの値が正しくない", "secure messaging is wrong"}},
	{0x6A80, Text{"中身が合わない", "wrong data"}},
	{0x6A81, Text{"その働きはない", "not provided"}},
	{0x6A82, Text{"そのファイルはない", "no such file"}},
	{0x6A83, Text{"そのレコードはない", "no such record"}},
	{0x6A84, Text{"場所が足りない", "no room"}},
	{0x6A86, Text{"P1とP2が正しくない", "wrong P1 or P2"}},
	{0x6A88, Text{"まだない", "not there yet"}},
	{0x6B00, Text{"終わりまで読んだ", "at its end"}},
	{0x6D00, Text{"知らない命令", "unknown command"}},
	{0x6E00, Text{"知らない命令", "unknown command"}},
	{0x6F00, Text{"カードが答えられない", "the card cannot answer"}},
}
