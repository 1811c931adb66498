package pcsc

import "context"

// link is one context at the service, with the calls of PC/SC that we need. Every error is a
// *jitsuin.Error; where the service answered, a *ServiceError stands behind it.
type link interface {
	readers(ctx context.Context) ([]Reader, error)
	// changed gives the readers as soon as they may differ from known. A ctx that ends leaves the link good.
	changed(ctx context.Context, known []Reader) ([]Reader, error)
	connect(ctx context.Context, reader string, share uint32) (handle int32, protocol uint32, err error)
	reconnect(ctx context.Context, handle int32, share, initialise uint32) (protocol uint32, err error)
	disconnect(ctx context.Context, handle int32, disposition uint32) error
	begin(ctx context.Context, handle int32) error
	end(ctx context.Context, handle int32, disposition uint32) error
	status(ctx context.Context, handle int32) error
	transmit(ctx context.Context, handle int32, protocol uint32, apdu []byte) ([]byte, error)
	close() error
}

// What PC/SC calls by number, the same everywhere (winscard.h, pcsclite.h).
const (
	shareExclusive = 1
	shareShared    = 2

	protocolT0  = 1
	protocolT1  = 2
	protocolAny = protocolT0 | protocolT1

	dispositionLeave   = 0
	dispositionReset   = 1
	dispositionUnpower = 2

	maxATR = 33
	// An extended command has a header of 4, a length of 3, 65535 bytes of data and an Le of 2.
	maxCommand  = 4 + 3 + 65535 + 2
	maxResponse = 65536 + 2
)
