//go:build linux || freebsd || openbsd || netbsd

package pcsc

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/jitsuin/jitsuin"
)

// Where pcscd listens, unless the variable that libpcsclite looks at names another place.
const (
	defaultSocket = "/run/pcscd/pcscd.comm"
	socketEnv     = "PCSCLITE_CSOCK_NAME"
)

// Commands of the protocol (winscard_msg.h of pcsc-lite). A message is a header of size and command
// and a body, all in 32-bit numbers of the machine's order; the answer is the body alone, with what was asked
// for filled in and the result at its end.
const (
	cmdEstablish     = 0x01
	cmdConnect       = 0x04
	cmdReconnect     = 0x05
	cmdDisconnect    = 0x06
	cmdBegin         = 0x07
	cmdEnd           = 0x08
	cmdTransmit      = 0x09
	cmdStatus        = 0x0B
	cmdVersion       = 0x11
	cmdReadersState  = 0x12
	cmdWaitChange    = 0x13
	cmdStopWaiting   = 0x14
	maxReaders       = 16
	maxName          = 128
	stateSize        = maxName + 4 + 4 + 4 + 36 + 4 + 4 // the ATR's 33 bytes are padded to 36
	protocolMajor    = 4
	protocolOldest   = 4 // minor version, of pcsc-lite 1.8.24 to 2.2; 2.4.1 and later still take it
	protocolNewest   = 5 // of 2.3 and 2.4.0, which take nothing else
	statePresent     = 0x04
	sharingExclusive = -1
)

// stopWait is how long pcscd may take to answer that it waits no more.
const stopWait = 2 * time.Second

// daemon is one connection to pcscd, which serves each in a thread of its own, a message at a time.
// Its owner, a Service or a Card, makes one call at a time.
type daemon struct {
	conn    net.Conn
	context uint32
	dead    error
}

var native = binary.NativeEndian

func dial(ctx context.Context) (link, error) {
	path := cmp.Or(os.Getenv(socketEnv), defaultSocket)
	d, minor, err := establish(ctx, path, protocolOldest)
	if err == nil && d == nil && minor == protocolNewest {
		d, minor, err = establish(ctx, path, protocolNewest)
	}
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, jitsuin.Errorf(jitsuin.Unsupported, "pcsc-version", "pcscd speaks version %d:%d of its protocol, this program %d:%d and %d:%d",
			protocolMajor, minor, protocolMajor, protocolOldest, protocolMajor, protocolNewest)
	}
	return d, nil
}

// establish connects with one version of the protocol. Where pcscd refuses it, d is nil and minor
// what it speaks.
func establish(ctx context.Context, path string, minor uint32) (d *daemon, speaks uint32, err error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, 0, errDial(err)
	}
	d = &daemon{conn: conn}
	answer, err := d.call(ctx, "greet pcscd", cmdVersion, numbers(protocolMajor, minor, 0))
	if err == nil && answer[2] != 0 {
		conn.Close()
		if answer[0] != protocolMajor {
			return nil, 0, errAnswer("greet pcscd", fmt.Sprintf("version %d:%d", answer[0], answer[1]))
		}
		return nil, answer[1], nil
	}
	if err == nil {
		if answer, err = d.call(ctx, "enter pcscd", cmdEstablish, numbers(0, 0, 0)); err == nil {
			err = errorOf("enter pcscd", answer[2])
			d.context = answer[1]
		}
	}
	if err != nil {
		conn.Close()
		return nil, 0, err
	}
	return d, minor, nil
}

func errDial(err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return jitsuin.Errorf(jitsuin.Unavailable, "pcsc-missing", "no PC/SC service runs on this machine: %w", err).
			WithHint("install and start pcscd; on Debian: apt-get install pcscd")
	case errors.Is(err, os.ErrPermission):
		return jitsuin.Errorf(jitsuin.Denied, "pcsc-denied", "pcscd's socket is closed to this user: %w", err)
	}
	return jitsuin.Errorf(jitsuin.Unavailable, "pcsc-missing", "pcscd cannot be reached: %w", err)
}

func numbers(all ...uint32) []byte {
	b := make([]byte, 0, 4*len(all))
	for _, n := range all {
		b = native.AppendUint32(b, n)
	}
	return b
}

func numbersOf(b []byte) []uint32 {
	all := make([]uint32, len(b)/4)
	for i := range all {
		all[i] = native.Uint32(b[4*i:])
	}
	return all
}

// hurry makes reading and writing end when ctx does.
func (d *daemon) hurry(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { d.conn.SetDeadline(time.Unix(1, 0)) })
}

// fail closes a connection whose two ends may no longer agree on where a message begins.
func (d *daemon) fail(ctx context.Context, what string, err error) error {
	d.conn.Close()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	d.dead = jitsuin.Errorf(jitsuin.Unavailable, "card-gone", "%s: the connection to pcscd has ended: %w", what, err)
	return d.dead
}

// send writes one message, and more that follows it.
func (d *daemon) send(command uint32, body, more []byte) error {
	b := append(numbers(uint32(len(body)), command), body...)
	b = append(b, more...)
	defer clear(b) // it may have held a PIN
	_, err := d.conn.Write(b)
	return err
}

// exchange sends a message and reads an answer of as many bytes as the body has.
func (d *daemon) exchange(ctx context.Context, what string, command uint32, body, more []byte, after func(answer []byte) error) ([]byte, error) {
	if d.dead != nil {
		return nil, d.dead
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	defer d.hurry(ctx)()
	answer := make([]byte, len(body))
	err := d.send(command, body, more)
	if err == nil {
		_, err = io.ReadFull(d.conn, answer)
	}
	if err == nil && after != nil {
		err = after(answer)
	}
	if err == nil && ctx.Err() != nil {
		err = ctx.Err() // the deadline may be set from now on
	}
	if err != nil {
		return nil, d.fail(ctx, what, err)
	}
	return answer, nil
}

// call is exchange for bodies of numbers alone.
func (d *daemon) call(ctx context.Context, what string, command uint32, body []byte) ([]uint32, error) {
	answer, err := d.exchange(ctx, what, command, body, nil, nil)
	if err != nil {
		return nil, err
	}
	return numbersOf(answer), nil
}

// act is call where the result is the last number.
func (d *daemon) act(ctx context.Context, what string, command uint32, body []byte) ([]uint32, error) {
	answer, err := d.call(ctx, what, command, body)
	if err == nil {
		err = errorOf(what, answer[len(answer)-1])
	}
	return answer, err
}

func (d *daemon) close() error { return d.conn.Close() }

func (d *daemon) connect(ctx context.Context, reader string, share uint32) (int32, uint32, error) {
	const what = "connect to the card"
	if len(reader) >= maxName {
		return 0, 0, errorOf(what, codeUnknownReader)
	}
	body := numbers(d.context)
	body = append(body, make([]byte, maxName)...)
	copy(body[4:], reader)
	body = append(body, numbers(share, protocolAny, 0, 0, 0)...)
	answer, err := d.exchange(ctx, what, cmdConnect, body, nil, nil)
	if err != nil {
		return 0, 0, err
	}
	tail := numbersOf(answer[4+maxName:])
	return int32(tail[2]), tail[3], errorOf(what, tail[4])
}

func (d *daemon) reconnect(ctx context.Context, handle int32, share, initialise uint32) (uint32, error) {
	answer, err := d.act(ctx, "reset the card", cmdReconnect, numbers(uint32(handle), share, protocolAny, initialise, 0, 0))
	if err != nil {
		return 0, err
	}
	return answer[4], nil
}

func (d *daemon) disconnect(ctx context.Context, handle int32, disposition uint32) error {
	_, err := d.act(ctx, "leave the card", cmdDisconnect, numbers(uint32(handle), disposition, 0))
	return err
}

func (d *daemon) begin(ctx context.Context, handle int32) error {
	_, err := d.act(ctx, "take the card", cmdBegin, numbers(uint32(handle), 0))
	return err
}

func (d *daemon) end(ctx context.Context, handle int32, disposition uint32) error {
	_, err := d.act(ctx, "give the card back", cmdEnd, numbers(uint32(handle), disposition, 0))
	return err
}

func (d *daemon) status(ctx context.Context, handle int32) error {
	_, err := d.act(ctx, "ask for the card", cmdStatus, numbers(uint32(handle), 0))
	return err
}

func (d *daemon) transmit(ctx context.Context, handle int32, protocol uint32, apdu []byte) (response []byte, err error) {
	const what, pciSize = "send a command to the card", 16 // two unsigned longs
	body := numbers(uint32(handle), protocol, pciSize, uint32(len(apdu)), protocol, pciSize, maxResponse, 0)
	answer, err := d.exchange(ctx, what, cmdTransmit, body, apdu, func(answer []byte) error {
		a := numbersOf(answer)
		if a[7] != 0 {
			return nil // nothing follows
		}
		if a[6] > maxResponse {
			return errAnswer(what, fmt.Sprintf("a response of %d bytes", a[6]))
		}
		response = make([]byte, a[6])
		_, err := io.ReadFull(d.conn, response)
		return err
	})
	if err != nil {
		return nil, err
	}
	return response, errorOf(what, numbersOf(answer)[7])
}

// cString reads up to the first zero.
func cString(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}
