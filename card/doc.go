// Package card is the chip of the Individual Number Card (個人番号カード) in software: files,
// PINs, keys, security status and commands in the dialect of ISO 7816-4 that JICSAP's
// specification for IC cards with contacts describes.
//
// It owns what a chip owns: its non-volatile image, which it keeps through a [Memory], and the
// private keys in it. A private key is made inside and never leaves; there is no command and no
// function that gives it out. The package knows no network, no database and no person, and it
// keeps no clock. The other side of the contacts is package card/reader.
//
// Today a chip has the application of public personal authentication (公的個人認証AP, "JPKI-AP").
// Applications are data ([Blank] lays them into the image), so the other applications of the card
// are further entries in profile.go.
//
// # What the facts leave open, and what was chosen
//
//   - READ BINARY at or beyond the end of an EF answers 6B00. A certificate EF before its
//     certificate is written can be selected and is empty, so that reading it answers 6B00 as
//     well (after its read rule: 6982 comes first). OpenSC takes 6B00 for the end of the file.
//   - VERIFY with data that cannot be the PIN (a wrong length) is a wrong try like any other.
//   - A PIN that was never set behaves as a blocked one: the query gives 63C0, VERIFY 6984.
//   - COMPUTE DIGITAL SIGNATURE answers 6700 to data of a wrong length and to a missing or too
//     small Le, 6A88 before a key exists. PSS uses MGF1 with SHA-256 and a salt of 32 bytes.
//   - CHANGE REFERENCE DATA and RESET RETRY COUNTER answer 6A80 to a new PIN outside its format
//     (four digits; 6 to 16 of A-Z 0-9). That letters and digits are both needed is the
//     client's rule, as on the plastic card.
//   - A write to memory that fails answers 6581; the chip then behaves as after a reset and
//     reads its image again before the next command.
//
// # Our own commands
//
// Real cards keep secret how they are personalised. These commands are ours; they use
// instructions of ISO 7816-4 and -8 under CLA 80 and work only after EXTERNAL AUTHENTICATE.
//
//	80 82 00 00 Lc data       EXTERNAL AUTHENTICATE: terminal certificate (131 bytes) ‖ signature
//	                          (64 bytes) over the last GET CHALLENGE of at least 16 bytes.
//	                          9000; 6300 refused; 6985 no challenge. See TerminalCertificate.
//	80 46 00 P2               GENERATE KEY PAIR: makes a new pending key in key IEF P2 (80 the
//	                          current EF, 80|sfi), replacing an older pending one. No data back.
//	80 46 01 P2 02 off Le     gives the public key of the pending key from a two-byte offset: a
//	                          7F49 template of ISO 7816-8 in pieces that fit short APDUs. 6A88: none.
//	80 D6 P1 P2 Lc data       UPDATE BINARY, offsets as in READ BINARY. See below.
//	80 2C 00 P2 Lc newPIN     RESET RETRY COUNTER: sets the PIN and fills its counter.
//
// A certificate EF is written in order from offset 0 and staged in volatile memory until the
// length in its first four bytes (30 82 xx xx) is reached. The command that brings the last byte
// checks that the certificate carries the public key of the pending key, and then stores
// certificate and key in one image: the pending key becomes the active one. Until then the old
// key and the old certificate go on working, the pending key survives power cuts and can be read
// again, so that an interrupted re-issue is repeated from where it stood. A certificate of the
// active key may be written again; one of any other key is refused with 6A80.
// Production and counter terminals may generate, write certificates and reset counters;
// other EFs are written by production alone.
package card
