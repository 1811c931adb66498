package card

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"github.com/jitsuin/jitsuin"
)

func ticketKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A ticket is good for one chip, one challenge, one provider key; every changed byte is refused.
func TestATicketIsBoundToWhatItSays(t *testing.T) {
	authority, provider := ticketKey(t), ticketKey(t)
	point, _ := encodePoint(&authority.PublicKey)
	challenge := make([]byte, 32)
	rand.Read(challenge)
	tick := Ticket{Operations: OpLoad | OpPersonalise, Bytes: 1024, AID: TownAID("91201", 1), Chip: "0000000000000001", Provider: &provider.PublicKey, Challenge: challenge}
	signed, err := IssueTicket(rand.Reader, authority, tick)
	if err != nil {
		t.Fatal(err)
	}
	data, err := SignTicket(rand.Reader, signed, provider, challenge)
	if err != nil || len(data) > 255 {
		t.Fatalf("%d bytes: %v", len(data), err)
	}
	got, ok := checkTicket(point, tick.Chip, data, challenge)
	if !ok || got.Bytes != 1024 || string(got.AID) != string(tick.AID) || got.Operations != tick.Operations {
		t.Fatalf("%v %+v", ok, got)
	}
	for i := range data {
		data[i] ^= 1
		if _, ok := checkTicket(point, tick.Chip, data, challenge); ok {
			t.Errorf("byte %d can be changed", i)
		}
		data[i] ^= 1
	}
	if _, ok := checkTicket(point, "0000000000000002", data, challenge); ok {
		t.Error("another chip takes it")
	}
	if _, ok := checkTicket(point, tick.Chip, data, make([]byte, 32)); ok {
		t.Error("another challenge takes it")
	}
	if other, _ := SignTicket(rand.Reader, signed, ticketKey(t), challenge); other != nil {
		if _, ok := checkTicket(point, tick.Chip, other, challenge); ok {
			t.Error("another provider uses it")
		}
	}
}

// The authority's three kinds of signatures are never taken for each other.
func TestPurposesAreApart(t *testing.T) {
	k := ticketKey(t)
	terminal, err := TerminalTBS(RoleCounter, &k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := TicketTBS(Ticket{Operations: OpDelete, AID: TownAID("91201", 1), Chip: "0000000000000001", Provider: &k.PublicKey, Challenge: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	if !IsTerminalTBS(terminal) || IsTerminalTBS(ticket) || !IsTicketTBS(ticket) || IsTicketTBS(terminal) || IsTicketTBS(ticket[1:]) {
		t.Error("the purposes are not told apart")
	}
	if _, err := AssembleTicket(terminal, nil); jitsuin.CodeOf(err) != "ticket-form" {
		t.Error(err)
	}
}

func TestNamesOfProviders(t *testing.T) {
	for aid, code := range map[string]string{
		"\xF0JITSU\x01\x09\x12\x01\x01":             "",
		"\xD3\x92\x99\x00\x01":                      "",
		"\xF0ABC":                                   "aid-form",     // four bytes
		"\xF0ABCDEFGHIJKLMNOP":                      "aid-form",     // seventeen
		"\xA0\x00\x00\x03\x08":                      "aid-form",     // an international name
		"\xD3\x92\xF0\x00\x26":                      "aid-reserved", // begins the JPKI application's
		"\xD3\x92\xF0\x00\x26\x01\x00\x00\x00\x01":  "aid-reserved",
		"\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x08!": "aid-reserved", // begins with the text application's
		"": "aid-form",
	} {
		if err := CheckProviderAID([]byte(aid)); jitsuin.CodeOf(err) != code {
			t.Errorf("%X: %v, want %q", aid, err, code)
		}
	}
	if string(TownAID("91201", 1)) != "\xF0JITSU\x01\x09\x12\x01\x01" || !InTownSpace(TownAID("91302", 9)) || InTownSpace([]byte("\xF0JITSU\x02\x01")) {
		t.Error("the towns' names")
	}
}
