//go:build linux || freebsd || openbsd || netbsd

package pcsc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// parseStates reads the table of readers; empty places have no name.
func parseStates(table []byte) ([]Reader, error) {
	var all []Reader
	for ; len(table) >= stateSize; table = table[stateSize:] {
		name := cString(table[:maxName])
		if !shown(name) {
			continue
		}
		n := table[maxName:stateSize]
		state, sharing, size := native.Uint32(n[4:]), int32(native.Uint32(n[8:])), native.Uint32(n[48:])
		if size > maxATR && size != maxATR+1 { // one more means: not looked at yet
			return nil, errAnswer("list the readers", fmt.Sprintf("an ATR of %d bytes", size))
		}
		r := Reader{Name: name, Present: state&statePresent != 0, Exclusive: sharing == sharingExclusive, InUse: sharing != 0, events: native.Uint32(n)}
		if r.Present && size <= maxATR {
			r.ATR = slices.Clone(n[12 : 12+size])
		}
		r.Mute = r.Present && size == 0
		all = append(all, r)
	}
	return all, nil
}

func (d *daemon) readers(ctx context.Context) ([]Reader, error) {
	table := make([]byte, maxReaders*stateSize)
	const what = "list the readers"
	if _, err := d.exchange(ctx, what, cmdReadersState, nil, nil, func([]byte) error {
		_, err := io.ReadFull(d.conn, table)
		return err
	}); err != nil {
		return nil, err
	}
	return parseStates(table)
}

// changed asks to be told of the next change, with the table as it is, so that nothing between the
// two is missed; where that table is already another one, the asking is taken back.
func (d *daemon) changed(ctx context.Context, known []Reader) ([]Reader, error) {
	const what = "wait for a card"
	table := make([]byte, maxReaders*stateSize)
	var now []Reader
	if _, err := d.exchange(ctx, what, cmdWaitChange, nil, nil, func([]byte) (err error) {
		if _, err = io.ReadFull(d.conn, table); err == nil {
			now, err = parseStates(table)
		}
		return err
	}); err != nil {
		return nil, err
	}
	word := make([]byte, 8) // an unused number and a result: the one word that comes in every case
	if !slices.EqualFunc(known, now, Reader.same) {
		if _, err := d.exchange(ctx, what, cmdStopWaiting, nil, nil, func([]byte) error {
			_, err := io.ReadFull(d.conn, word)
			return err
		}); err != nil {
			return nil, err
		}
		return now, nil
	}
	if err := d.signalled(ctx, what, word); err != nil {
		return nil, err
	}
	return now, errorOf(what, numbersOf(word)[1]) // where it is well, Wait asks for the table again
}

// signalled reads the word that something happened. When ctx ends, the asking is taken back and the
// connection stays good.
func (d *daemon) signalled(ctx context.Context, what string, word []byte) error {
	told := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(d.conn, word)
		told <- err
	}()
	select {
	case err := <-told:
		if err != nil {
			return d.fail(ctx, what, err)
		}
		return nil
	case <-ctx.Done():
	}
	// pcscd answers this only if it has not spoken already.
	d.conn.SetReadDeadline(time.Now().Add(stopWait))
	err := d.send(cmdStopWaiting, nil, nil)
	if err != nil {
		d.conn.Close()
	}
	if err = errors.Join(err, <-told); err != nil {
		return d.fail(ctx, what, err)
	}
	d.conn.SetReadDeadline(time.Time{})
	return ctx.Err()
}
