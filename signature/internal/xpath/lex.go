package xpath

import (
	"strings"
	"unicode/utf8"
)

// token is a lexeme: kind is 'n' for a name, '#' for a number, '"' for a literal, 'o' for an operator
// that is written as a word, 0 for the end, and the symbol's first character otherwise.
type token struct {
	kind byte
	text string
}

// symbols of two characters come before those of one.
var symbols = []string{"::", "//", "..", "!=", "<=", ">=", "(", ")", "[", "]", ".", "@", ",", "/", "|", "+", "-", "=", "<", ">", "*"}

// lex splits an expression (XPath 1.0 §3.7), nil where it cannot be.
func lex(s string) []token {
	var all []token
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		if s == "" {
			return append(all, token{})
		}
		one, size := next(s, operand(all))
		if size == 0 {
			return nil
		}
		all = append(all, one)
		s = s[size:]
	}
}

// operand tells whether the next lexeme stands where an operand does: then '*' is a name test and "and"
// a name (XPath 1.0 §3.7).
func operand(before []token) bool {
	if len(before) == 0 {
		return true
	}
	last := before[len(before)-1]
	switch last.kind {
	case 'n', '#', '"', ')', ']', '.', 'w':
		return false
	}
	return true
}

func next(s string, operand bool) (token, int) {
	switch c := s[0]; {
	case c == '"' || c == '\'':
		end := strings.IndexByte(s[1:], c)
		if end < 0 {
			return token{}, 0
		}
		return token{'"', s[1 : end+1]}, end + 2
	case c >= '0' && c <= '9', c == '.' && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
		n := 0
		for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.') {
			n++
		}
		return token{'#', s[:n]}, n
	}
	for _, symbol := range symbols {
		if strings.HasPrefix(s, symbol) {
			kind := symbol[0]
			switch {
			case symbol == "*" && operand:
				kind = 'w' // a wildcard
			case symbol == "::":
				kind = ':'
			}
			return token{kind, symbol}, len(symbol)
		}
	}
	n := nameLength(s)
	if n == 0 {
		return token{}, 0
	}
	if name := s[:n]; !operand && (name == "and" || name == "or" || name == "div" || name == "mod") {
		return token{'o', name}, n
	}
	if n < len(s) && s[n] == ':' && !strings.HasPrefix(s[n:], "::") { // prefix:name or prefix:*
		if strings.HasPrefix(s[n+1:], "*") {
			return token{'w', s[:n+2]}, n + 2
		}
		local := nameLength(s[n+1:])
		if local == 0 {
			return token{}, 0
		}
		n += 1 + local
	}
	return token{'n', s[:n]}, n
}

// nameLength gives the length of the name without colon at the head of s.
func nameLength(s string) int {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= utf8.RuneSelf && r != utf8.RuneError
		if !letter && (i == 0 || r != '-' && r != '.' && (r < '0' || r > '9')) {
			return i
		}
	}
	return len(s)
}
