package matching

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

func notation(code, ja, en string, apply func(string) string) fold {
	return fold{Finding{code, ja, en}, Notation, apply}
}

func variant(code, ja, en string, apply func(string) string) fold {
	return fold{Finding{code, ja, en}, Variant, apply}
}

// Folds that names and addresses share, in the order in which they must run.
var (
	selectors = variant("glyph", "同じ漢字の字形の違い（異体字セレクタ）があります。", "A character is written in another glyph (ideographic variation sequence).", dropSelectors)
	compat    = variant("compatibility-kanji", "互換漢字（例: 﨑でなく崎に当たる符号）で書かれた字があります。", "A character is written as a compatibility ideograph.", foldCompatibility)
	width     = notation("width", "全角と半角の違いがあります。", "Full-width and half-width characters differ.", foldWidth)
	letters   = notation("letter-case", "英字の大文字と小文字の違いがあります。", "Upper and lower case differ.", strings.ToUpper)
	oldForms  = variant("old-form", "旧字体と新字体の違いがあります。", "Old and new forms of kanji differ.", oldToNew.Replace)
	nameForms = variant("variant-kanji", "異体字（例: 髙と高）の違いがあります。", "Variant kanji differ (such as 髙 and 高).", variantToUsual.Replace)
	spaces    = notation("spaces", "空白の有無の違いがあります。", "Spaces differ.", dropSpaces)
	kana      = notation("kana", "ひらがなとカタカナの違いがあります。", "Hiragana and katakana differ.", toKatakana)
	smallKana = notation("small-kana", "小書きの仮名（例: ヶとケ）の違いがあります。", "Small and full kana differ (such as ヶ and ケ).", growKana)
)

var nameFolds = []fold{selectors, compat, width, letters,
	notation("punctuation", "中点・カンマ・ハイフンなどの記号の違いがあります。", "Punctuation differs.", dropPunctuation),
	notation("word-order", "英字の氏名の語順が違います。", "The words of a name in Latin letters stand in another order.", sortWords),
	oldForms, nameForms, spaces, kana, smallKana,
	notation("iteration-mark", "踊り字（々）の使い方の違いがあります。", "The iteration mark 々 is used differently.", expandIteration)}

var addressFolds = []fold{selectors, compat, width, letters, spaces,
	notation("hyphen", "ハイフンに似た記号の違いがあります。", "Signs like hyphens differ.", foldHyphens),
	notation("kanji-numerals", "漢数字と算用数字の違いがあります。", "Kanji numerals and digits differ.", foldNumerals),
	notation("block-numbers", "「丁目・番・号」とハイフンの違いがあります。", "丁目, 番 and 号 against hyphens.", foldBlocks),
	notation("leading-words", "「大字」「字」の有無の違いがあります。", "The words 大字 and 字 are written or left out.", foldOaza),
	oldForms, nameForms, kana, smallKana,
	notation("place-particle", "地名の「ケ・ガ」「ノ・之」などの違いがあります。", "Particles within place names differ (ケ and ガ, ノ and 之).", foldParticles),
	notation("iteration-mark", "踊り字（々）の使い方の違いがあります。", "The iteration mark 々 is used differently.", expandIteration)}

// dropSelectors removes variation selectors (IVS, SVS): the characters before them stay.
func dropSelectors(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF {
			return -1
		}
		return r
	}, s)
}

// foldCompatibility takes CJK compatibility ideographs for the unified ones (their canonical decomposition).
func foldCompatibility(s string) string {
	return norm.NFC.String(s)
}

// foldWidth takes full-width letters and half-width kana for the usual ones (NFKC), and leaves kanji as they are.
func foldWidth(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		n := strings.IndexFunc(s, isCompatibilityKanji)
		if n < 0 {
			n = len(s)
		}
		b.WriteString(norm.NFKC.String(s[:n]))
		s = s[n:]
		for _, r := range s {
			if !isCompatibilityKanji(r) {
				break
			}
			b.WriteRune(r)
			s = s[len(string(r)):]
		}
	}
	return b.String()
}

func isCompatibilityKanji(r rune) bool {
	return r >= 0xF900 && r <= 0xFAFF || r >= 0x2F800 && r <= 0x2FA1F
}

func dropSpaces(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

func dropPunctuation(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("・･.,'’‘`", r):
			return ' '
		case isHyphen(r):
			return ' '
		}
		return r
	}, s)
}

// sortWords orders the words of a name in Latin letters; a name in Japanese is left alone.
func sortWords(s string) string {
	words := strings.Fields(s)
	for _, w := range words {
		for _, r := range w {
			if !unicode.Is(unicode.Latin, r) {
				return s
			}
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func toKatakana(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'ぁ' && r <= 'ゖ' || r == 'ゝ' || r == 'ゞ' {
			return r + 'ァ' - 'ぁ'
		}
		return r
	}, s)
}

var growKana = strings.NewReplacer("ァ", "ア", "ィ", "イ", "ゥ", "ウ", "ェ", "エ", "ォ", "オ", "ッ", "ツ", "ャ", "ヤ", "ュ", "ユ", "ョ", "ヨ", "ヮ", "ワ", "ヵ", "カ", "ヶ", "ケ",
	"ぁ", "あ", "ぃ", "い", "ぅ", "う", "ぇ", "え", "ぉ", "お", "っ", "つ", "ゃ", "や", "ゅ", "ゆ", "ょ", "よ", "ゎ", "わ").Replace

// expandIteration writes the character that 々 repeats.
func expandIteration(s string) string {
	out := []rune(s)
	for i := 1; i < len(out); i++ {
		if out[i] == '々' {
			out[i] = out[i-1]
		}
	}
	return string(out)
}

func isHyphen(r rune) bool { return strings.ContainsRune("-‐‑‒–—―−ー－ｰ─━", r) }

// isDigit takes full-width digits too: that they are full-width is told for itself, or not at all.
func isDigit(r rune) bool { return r >= '0' && r <= '9' || r >= '０' && r <= '９' }

// foldHyphens takes what looks like a hyphen for one where it stands beside a digit; ー in a word stays.
func foldHyphens(s string) string {
	out := []rune(s)
	for i, r := range out {
		if isHyphen(r) && (i > 0 && isDigit(out[i-1]) || i+1 < len(out) && isDigit(out[i+1])) {
			out[i] = '-'
		}
	}
	return string(out)
}

var (
	// counted is a kanji numeral that counts: before 丁目, 番, 号, 条 and the like.
	counted = regexp.MustCompile(`[〇一二三四五六七八九十百千]+(丁目|番地|番|号|条|線|区|階)`)
	// afterBlock is the rest of a number written with kanji behind a block or a hyphen: 三丁目二の五.
	afterBlock = regexp.MustCompile(`(丁目|番地|番|[0-9０-９]-|[0-9０-９]の)[〇一二三四五六七八九十百千]+`)
)

// foldNumerals writes kanji numerals in digits where they count blocks, and nowhere else: 三田 stays a name.
func foldNumerals(s string) string {
	s = counted.ReplaceAllStringFunc(s, numeralsIn)
	for range 4 { // each round uncovers the next number
		next := afterBlock.ReplaceAllStringFunc(s, numeralsIn)
		if next == s {
			break
		}
		s = next
	}
	return s
}

var numeral = regexp.MustCompile(`[〇一二三四五六七八九十百千]+`)

func numeralsIn(s string) string { return numeral.ReplaceAllStringFunc(s, kanjiNumber) }

var (
	blockWords = regexp.MustCompile(`([0-9０-９]+)(?:丁目|番地の?|番|号室?|の|ノ)`)
	hyphens    = regexp.MustCompile(`-+`)
)

// foldBlocks writes 3丁目2番5号, 3丁目2の5 and 3-2-5 alike.
func foldBlocks(s string) string {
	s = blockWords.ReplaceAllString(s, "$1-")
	s = hyphens.ReplaceAllString(s, "-")
	// The last block has no hyphen behind it: neither at the end nor before a building's name.
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		if r == '-' && i > 0 && isDigit(runes[i-1]) && (i+1 == len(runes) || !isDigit(runes[i+1])) {
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

var foldOaza = strings.NewReplacer("大字", "", "小字", "", "字", "").Replace

// foldParticles takes the particles within place names for one another, after kana has become katakana.
var foldParticles = strings.NewReplacer("ガ", "ケ", "カ", "ケ", "之", "ノ", "乃", "ノ").Replace
