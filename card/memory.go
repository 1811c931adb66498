package card

// Memory is a chip's non-volatile memory: one image, replaced as a whole.
//
// Store must be atomic and durable: when it returns nil, every later Load, also after a power
// cut, gives that image. When it returns an error, or the power goes during the call, a later
// Load gives the image from before or the new one, nothing else.
// Load gives the last stored image; an error that is fs.ErrNotExist where none was stored yet.
// A Memory belongs to one Chip at a time, which calls it from one goroutine at a time.
type Memory interface {
	Load() ([]byte, error)
	Store(image []byte) error
}
