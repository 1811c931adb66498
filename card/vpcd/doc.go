// Package vpcd speaks the frames of the virtual smart card reader vpcd (vsmartcard): a length
// of two bytes, big-endian, and that many bytes; a frame of one byte is a control (0 power off,
// 1 power on, 2 reset, 4 give the ATR), of which only 4 is answered; every other frame is a
// command APDU, answered by its response.
//
// It owns both ends of such a connection: Serve is the card's, Conn the reader's, and Connect
// puts a card into a slot of pcscd. It knows nothing of files, PINs or handles.
// vpcd itself listens on all addresses of the machine (0.0.0.0, ports 35963 and 35964), which it
// does not let one change: keep those ports closed to others.
package vpcd
