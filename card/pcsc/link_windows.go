package pcsc

import (
	"context"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/jitsuin/jitsuin"
)

// winscard.dll of the system; the calls as WinSCard's documentation has them. This file compiles in
// the tests and has not been run.
var (
	winscard      = windows.NewLazySystemDLL("winscard.dll")
	procEstablish = winscard.NewProc("SCardEstablishContext")
	procRelease   = winscard.NewProc("SCardReleaseContext")
	procList      = winscard.NewProc("SCardListReadersW")
	procChange    = winscard.NewProc("SCardGetStatusChangeW")
	procCancel    = winscard.NewProc("SCardCancel")
	procConnect   = winscard.NewProc("SCardConnectW")
	procReconnect = winscard.NewProc("SCardReconnect")
	procLeave     = winscard.NewProc("SCardDisconnect")
	procBegin     = winscard.NewProc("SCardBeginTransaction")
	procEnd       = winscard.NewProc("SCardEndTransaction")
	procStatus    = winscard.NewProc("SCardStatusW")
	procTransmit  = winscard.NewProc("SCardTransmit")
)

// readerState is SCARD_READERSTATEW.
type readerState struct {
	name           *uint16
	userData       uintptr
	current, event uint32
	atrSize        uint32
	atr            [36]byte
}

// ioRequest is SCARD_IO_REQUEST.
type ioRequest struct{ protocol, size uint32 }

const (
	eventEmpty     = 0x010
	eventPresent   = 0x020
	eventExclusive = 0x080
	eventInUse     = 0x100
	eventMute      = 0x200
	maxNames       = 64 << 10 // characters of all readers' names
)

// dll is one context of winscard. Handles of cards are numbers of pointer size there; the table gives them
// small ones.
type dll struct {
	context uintptr
	cards   []uintptr
}

func dial(context.Context) (link, error) {
	d := &dll{}
	if err := procEstablish.Find(); err != nil {
		return nil, jitsuin.Errorf(jitsuin.Unavailable, "pcsc-missing", "this Windows has no winscard.dll: %w", err)
	}
	const scopeUser = 0
	code, _, _ := procEstablish.Call(scopeUser, 0, 0, uintptr(unsafe.Pointer(&d.context)))
	if err := errorOf("enter PC/SC", uint32(code)); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *dll) close() error {
	code, _, _ := procRelease.Call(d.context)
	return errorOf("leave PC/SC", uint32(code))
}

// names lists the readers' names.
func (d *dll) names() ([]string, error) {
	size := uint32(maxNames)
	buffer := make([]uint16, size)
	code, _, _ := procList.Call(d.context, 0, uintptr(unsafe.Pointer(&buffer[0])), uintptr(unsafe.Pointer(&size)))
	if uint32(code) == codeNoReaders {
		return nil, nil
	}
	if err := errorOf("list the readers", uint32(code)); err != nil {
		return nil, err
	}
	var all []string
	for rest := buffer[:min(int(size), len(buffer))]; len(rest) > 0 && rest[0] != 0; {
		end := slices.Index(rest, 0)
		if end < 0 {
			break
		}
		if name := windows.UTF16ToString(rest[:end]); shown(name) {
			all = append(all, name)
		}
		rest = rest[end+1:]
	}
	return all, nil
}

// look asks for the states of readers, which may take timeout to differ from current.
func (d *dll) look(names []string, current []Reader, timeout time.Duration) ([]Reader, error) {
	if len(names) == 0 {
		return nil, nil
	}
	states := make([]readerState, len(names))
	for i, name := range names {
		p, err := windows.UTF16PtrFromString(name)
		if err != nil {
			return nil, errAnswer("list the readers", "a name with a zero in it")
		}
		states[i].name = p
		if i < len(current) {
			states[i].current = current[i].events
		}
	}
	code, _, _ := procChange.Call(d.context, uintptr(timeout.Milliseconds()), uintptr(unsafe.Pointer(&states[0])), uintptr(len(states)))
	if uint32(code) != codeTimeout {
		if err := errorOf("look at the readers", uint32(code)); err != nil {
			return nil, err
		}
	}
	all := make([]Reader, len(names))
	for i, s := range states {
		e := s.event
		all[i] = Reader{Name: names[i], Present: e&eventPresent != 0, Mute: e&eventMute != 0, Exclusive: e&eventExclusive != 0,
			InUse: e&(eventInUse|eventExclusive) != 0, events: e &^ 2, ATR: slices.Clone(s.atr[:min(s.atrSize, maxATR)])}
		if !all[i].Present {
			all[i].ATR = nil
		}
	}
	return all, nil
}

func (d *dll) readers(context.Context) ([]Reader, error) {
	names, err := d.names()
	if err != nil {
		return nil, err
	}
	return d.look(names, nil, 0)
}

// changed looks for at most half a second at a time, so that a reader that is plugged in is seen too.
func (d *dll) changed(ctx context.Context, known []Reader) ([]Reader, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		names, err := d.names()
		if err != nil {
			return nil, err
		}
		same := slices.EqualFunc(names, known, func(n string, r Reader) bool { return n == r.Name })
		if !same {
			return d.look(names, nil, 0)
		}
		if len(names) == 0 {
			select {
			case <-ctx.Done():
			case <-time.After(500 * time.Millisecond):
			}
			continue
		}
		stop := context.AfterFunc(ctx, func() { procCancel.Call(d.context) })
		now, err := d.look(names, known, 500*time.Millisecond)
		stop()
		if isCode(err, codeCancelled) && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil || !slices.EqualFunc(known, now, Reader.same) {
			return now, err
		}
	}
}

func (d *dll) connect(_ context.Context, reader string, share uint32) (int32, uint32, error) {
	name, err := windows.UTF16PtrFromString(reader)
	if err != nil {
		return 0, 0, errorOf("connect to the card", codeUnknownReader)
	}
	var handle uintptr
	var protocol uint32
	code, _, _ := procConnect.Call(d.context, uintptr(unsafe.Pointer(name)), uintptr(share), protocolAny,
		uintptr(unsafe.Pointer(&handle)), uintptr(unsafe.Pointer(&protocol)))
	if err := errorOf("connect to the card", uint32(code)); err != nil {
		return 0, 0, err
	}
	d.cards = append(d.cards, handle)
	return int32(len(d.cards) - 1), protocol, nil
}

func (d *dll) reconnect(_ context.Context, handle int32, share, initialise uint32) (protocol uint32, err error) {
	code, _, _ := procReconnect.Call(d.cards[handle], uintptr(share), protocolAny, uintptr(initialise), uintptr(unsafe.Pointer(&protocol)))
	return protocol, errorOf("reset the card", uint32(code))
}

func (d *dll) disconnect(_ context.Context, handle int32, disposition uint32) error {
	code, _, _ := procLeave.Call(d.cards[handle], uintptr(disposition))
	return errorOf("leave the card", uint32(code))
}

// begin waits for others by itself, as Windows does it.
func (d *dll) begin(_ context.Context, handle int32) error {
	code, _, _ := procBegin.Call(d.cards[handle])
	return errorOf("take the card", uint32(code))
}

func (d *dll) end(_ context.Context, handle int32, disposition uint32) error {
	code, _, _ := procEnd.Call(d.cards[handle], uintptr(disposition))
	return errorOf("give the card back", uint32(code))
}

func (d *dll) status(_ context.Context, handle int32) error {
	code, _, _ := procStatus.Call(d.cards[handle], 0, 0, 0, 0, 0, 0)
	return errorOf("ask for the card", uint32(code))
}

func (d *dll) transmit(_ context.Context, handle int32, protocol uint32, apdu []byte) ([]byte, error) {
	pci := ioRequest{protocol, uint32(unsafe.Sizeof(ioRequest{}))}
	response := make([]byte, maxResponse)
	size := uint32(len(response))
	code, _, _ := procTransmit.Call(d.cards[handle], uintptr(unsafe.Pointer(&pci)), uintptr(unsafe.Pointer(&apdu[0])), uintptr(len(apdu)),
		0, uintptr(unsafe.Pointer(&response[0])), uintptr(unsafe.Pointer(&size)))
	if err := errorOf("send a command to the card", uint32(code)); err != nil {
		return nil, err
	}
	return response[:min(int(size), len(response))], nil
}
