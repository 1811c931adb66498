package card

import "fmt"

// SW is a status word, the last two bytes of every response (SW1 ‖ SW2).
type SW uint16

// The status words that the chip gives. SWTries is a base: its last digit counts the tries left.
const (
	SWOK                 SW = 0x9000
	SWNotVerified        SW = 0x6300 // the authentication failed
	SWTries              SW = 0x63C0 // 63Cx: x tries left
	SWMemoryFailure      SW = 0x6581
	SWNoSessionKey       SW = 0x66F1 // SET SESSION KEY where there is none (observed on a test card)
	SWWrongLength        SW = 0x6700
	SWChannel            SW = 0x6881 // logical channel not supported
	SWSecureMessaging    SW = 0x6882
	SWIncompatibleFile   SW = 0x6981 // the command does not fit the kind of file
	SWSecurityStatus     SW = 0x6982 // a PIN or a terminal's authentication is missing
	SWBlocked6983        SW = 0x6983 // ISO's word for a blocked PIN, by Switches alone
	SWBlocked            SW = 0x6984 // JICSAP's word for a blocked PIN
	SWConditions         SW = 0x6985
	SWNoCurrentEF        SW = 0x6986
	SWWrongData          SW = 0x6A80
	SWFunction           SW = 0x6A81 // understood and not provided
	SWFileNotFound       SW = 0x6A82
	SWRecordNotFound     SW = 0x6A83
	SWNoSpace            SW = 0x6A84
	SWWrongP1P2          SW = 0x6A86
	SWReferencedNotFound SW = 0x6A88
	SWWrongOffset        SW = 0x6B00
	SWUnknownINS         SW = 0x6D00
	SWUnknownCLA         SW = 0x6E00
	SWNoPower            SW = 0x6F00
)

// String writes the four hex digits.
func (sw SW) String() string { return fmt.Sprintf("%04X", uint16(sw)) }

// Tries gives x of 63Cx; ok tells whether sw is such a word.
func (sw SW) Tries() (left int, ok bool) {
	return int(sw & 0xF), sw&0xFFF0 == SWTries
}

// SplitResponse parts a response into data and status word; ok is false where it has no
// status word.
func SplitResponse(response []byte) (data []byte, sw SW, ok bool) {
	n := len(response) - 2
	if n < 0 {
		return nil, 0, false
	}
	return response[:n], SW(response[n])<<8 | SW(response[n+1]), true
}
