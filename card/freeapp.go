package card

import (
	"encoding/binary"

	"github.com/jitsuin/jitsuin"
)

// An application of the free area is data: files with rules, a PIN, keys. It has no code, so nothing of it runs on the
// card; what it can do is what freeCommands do for every such application.

// FreeKind is a kind of file in an application of the free area.
type FreeKind byte

const (
	FreeData   FreeKind = 1 // an EF that READ BINARY reads
	FreePIN    FreeKind = 2 // a PIN of four digits; at most one PIN or password
	FreeSecret FreeKind = 3 // a password of 6 to 16 of A-Z 0-9
	FreeKey    FreeKind = 4 // a P-256 key that answers INTERNAL AUTHENTICATE
	FreeReader FreeKind = 5 // whom the application trusts to certify readers; at most one
)

// FreeRule is who may read a file or use a key.
type FreeRule byte

const (
	RuleFree   FreeRule = 0 // everybody
	RulePIN    FreeRule = 1 // after the application's PIN
	RuleReader FreeRule = 2 // a reader that the application trusts
	RuleEither FreeRule = 3 // one or the other
)

// FreeFile is one file of an application.
type FreeFile struct {
	ID   uint16 // 0001 to 001E, which is the short identifier too
	Kind FreeKind
	// Size is the room of data in bytes, and the number of tries of a PIN; else 0.
	Size int
	Rule FreeRule // of data and keys
}

// FreeApplication says what an application of the free area consists of.
type FreeApplication struct {
	AID   []byte
	Files []FreeFile
}

const (
	freeFileSize = 6 // kind, identifier (2), size (2), rule
	maxFreeFiles = 16
	maxFreeApps  = 8
	maxFreeID    = 0x1E
	maxFreeTries = 10

	// FreeArea is the room of the free area (空き領域) in bytes. How large it is on a real card is not public.
	FreeArea = 16 * 1024
)

// Room counts the bytes that the application takes of the free area: 48 for itself, 16 for each file, and for data their
// room, for a PIN 48, for a key 128, for the key of the readers' authority 65. The count is ours.
func (a FreeApplication) Room() int {
	room := 48
	for _, f := range a.Files {
		room += 16
		switch f.Kind {
		case FreeData:
			room += f.Size
		case FreePIN, FreeSecret:
			room += 48
		case FreeKey:
			room += 128
		case FreeReader:
			room += pointSize
		}
	}
	return room
}

// Check tells what is wrong with a description: Invalid "free-application", and the errors of CheckProviderAID.
func (a FreeApplication) Check() error {
	if err := CheckProviderAID(a.AID); err != nil {
		return err
	}
	bad := func(why string, args ...any) error {
		return jitsuin.Errorf(jitsuin.Invalid, "free-application", "an application of the free area "+why, args...)
	}
	if len(a.Files) == 0 || len(a.Files) > maxFreeFiles {
		return bad("has 1 to %d files", maxFreeFiles)
	}
	pins, readers, seen := 0, 0, map[uint16]bool{}
	for _, f := range a.Files {
		data, pin := f.Kind == FreeData, f.Kind == FreePIN || f.Kind == FreeSecret
		switch {
		case f.ID == 0 || f.ID > maxFreeID || seen[f.ID]:
			return bad("has files with identifiers of their own from 0001 to 001E, not %04X", f.ID)
		case f.Kind < FreeData || f.Kind > FreeReader || f.Rule > RuleEither:
			return bad("has no file of the kind %d with the rule %d", f.Kind, f.Rule)
		case data && (f.Size <= 0 || f.Size > FreeArea), pin && (f.Size <= 0 || f.Size > maxFreeTries), !data && !pin && f.Size != 0:
			return bad("cannot have %d as the size of file %04X", f.Size, f.ID)
		case f.Rule != RuleFree && !data && f.Kind != FreeKey:
			return bad("has rules for data and keys, not for file %04X", f.ID)
		}
		seen[f.ID] = true
		if pin {
			pins++
		}
		if f.Kind == FreeReader {
			readers++
		}
	}
	if pins > 1 || readers > 1 {
		return bad("has at most one PIN and one authority for readers")
	}
	for _, f := range a.Files {
		if f.Rule&RulePIN != 0 && pins == 0 || f.Rule&RuleReader != 0 && readers == 0 {
			return bad("cannot ask at file %04X for what it does not have", f.ID)
		}
	}
	return nil
}

// encode writes the files as INSTALL takes them: six bytes each.
func (a FreeApplication) encode() []byte {
	var b []byte
	for _, f := range a.Files {
		b = append(b, byte(f.Kind))
		b = binary.BigEndian.AppendUint16(b, f.ID)
		b = binary.BigEndian.AppendUint16(b, uint16(f.Size))
		b = append(b, byte(f.Rule))
	}
	return b
}

func decodeFree(aid, b []byte) (FreeApplication, bool) {
	a := FreeApplication{AID: aid}
	if len(b)%freeFileSize != 0 {
		return a, false
	}
	for ; len(b) > 0; b = b[freeFileSize:] {
		a.Files = append(a.Files, FreeFile{Kind: FreeKind(b[0]), ID: binary.BigEndian.Uint16(b[1:]), Size: int(binary.BigEndian.Uint16(b[3:])), Rule: FreeRule(b[5])})
	}
	return a, a.Check() == nil
}

// InstallData makes the data of INSTALL with GlobalPlatform's fields (GP Card Specification 2.3 §11.5.2.3): names of load
// file and module empty, because nothing is loaded that runs; the application's name; one byte of privileges, 00; the
// parameters C9 { files }, ours; no token, because the provider has shown its ticket before.
func (a FreeApplication) InstallData() ([]byte, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	files := a.encode()
	b := append([]byte{0, 0, byte(len(a.AID))}, a.AID...)
	b = append(b, 1, 0, byte(len(files)+2), 0xC9, byte(len(files)))
	return append(append(b, files...), 0), nil
}

// SelectableData makes the data of INSTALL that lets the application be selected.
func SelectableData(aid []byte) []byte {
	return append(append([]byte{0, 0, byte(len(aid))}, aid...), 1, 0, 0, 0)
}

// splitInstall reads the data of INSTALL: the name, and the files where there are parameters.
func splitInstall(data []byte) (aid, files []byte, ok bool) {
	field := func() (f []byte) {
		if len(data) == 0 || len(data) < 1+int(data[0]) {
			ok = false
			return nil
		}
		f, data = data[1:1+int(data[0])], data[1+int(data[0]):]
		return f
	}
	ok = true
	load, module := field(), field()
	aid = field()
	privileges, parameters, token := field(), field(), field()
	if !ok || len(data) > 0 || len(load)+len(module)+len(token) > 0 || len(privileges) != 1 || privileges[0] != 0 {
		return nil, nil, false
	}
	if len(parameters) == 0 {
		return aid, nil, true
	}
	if len(parameters) < 2 || parameters[0] != 0xC9 || int(parameters[1]) != len(parameters)-2 {
		return nil, nil, false
	}
	return aid, parameters[2:], true
}

// freeState is what the card keeps of an application of the free area besides its files.
type freeState struct {
	Selectable bool
	Room       int
	ReaderFile uint16 `json:",omitempty"`
	Readers    []byte `json:",omitempty"` // authority for readers: P-256 point, once it was given
}

// selectable tells whether a is an application of the free area that anybody may select.
func (a *application) selectable() bool { return a.Free != nil && a.Free.Selectable }

// lay makes the application as the image keeps it: empty files, no PIN, no keys.
func (a FreeApplication) lay() *application {
	app := &application{AID: a.AID, Free: &freeState{Room: a.Room()}}
	var pin uint16
	for _, f := range a.Files {
		if f.Kind == FreePIN || f.Kind == FreeSecret {
			pin = f.ID
		}
	}
	rules := func(r FreeRule) (out rule) {
		if r&RulePIN != 0 {
			out.AnyOf = []uint16{pin}
		}
		if r&RuleReader != 0 {
			out.Terminals = []Role{roleReader}
		}
		return out
	}
	for _, f := range a.Files {
		switch f.Kind {
		case FreeData:
			app.Files = append(app.Files, binaryEF(f.ID, rules(f.Rule), f.Size))
		case FreePIN:
			app.Files = append(app.Files, pinEF(f.ID, fourDigits, f.Size, changeReference))
		case FreeSecret:
			app.Files = append(app.Files, pinEF(f.ID, password, f.Size, changeReference))
		case FreeKey:
			key := keyEF(f.ID, p256, rules(f.Rule))
			key.Key.Authenticates = true
			app.Files = append(app.Files, key)
		case FreeReader:
			app.Free.ReaderFile = f.ID
			app.Files = append(app.Files, others(f.ID)...)
		}
	}
	return app
}

// p256 is the algorithm of keys in the free area.
const p256 Algorithm = "P-256"

// roleReader is what a reader of an application of the free area becomes by authenticating inside it. It stands in no
// terminal certificate: what it opens is that application alone.
const roleReader Role = "reader"
