// Package card is the chip of the Individual Number Card (個人番号カード) in software: files,
// PINs, keys, security status and commands in the dialect of ISO 7816-4 that JICSAP's
// specification for IC cards with contacts describes.
//
// It owns what a chip owns: its non-volatile image, which it keeps through a [Memory], and the
// private keys in it. A private key is made inside and never leaves; there is no command and no
// function that gives it out. The package knows no network, no database and no person, and it
// keeps no clock. The other side of the contacts is package card/reader.
//
// # What is on a chip
//
// Applications are data: a name (AID), files with rules, PINs with counters. layout.go lays them
// into a blank chip, as the [Profile] says; [Profiles] has every kind of card.
//
//	AID                  application                   what opens what
//	A000000151000000     issuer's domain, after reset  GET DATA is free
//	D392F0002601…01      公的個人認証AP, JPKI          PIN 0018 (3 tries) key 0017; password 001B (5) key 001A and EF 0001
//	D3921000310001010408 券面事項入力補助AP, text      PIN 0011 (3); check number A 0014 My Number, B 0015 the four items (10 each)
//	D3921000310001010402 券面事項確認AP, visual        birth 0011 the age; A 0013 all, B 0012 all but My Number (10 each)
//	D3921000310001010401 住基AP                        PIN 001C (3)
//	D3921000310001010100 共通カードAP, common          free; PIN 001C (3)
//
// What the files contain, and who signs it, is package card/contents.
//
// # Commands
//
//	00 A4       SELECT: an application by its name or the beginning of it, an EF of it
//	00 B0       READ BINARY; 00 B2 READ RECORD; both also by short identifier
//	00 20       VERIFY, and without data the tries left
//	00 24, 80 32  CHANGE REFERENCE DATA (JPKI, text), CHANGE KEY (common, resident register)
//	80 2A       COMPUTE DIGITAL SIGNATURE; P2 00 is the application's own key
//	00 88       INTERNAL AUTHENTICATE (common); 00 84 GET CHALLENGE
//	00 CA       GET DATA, in the issuer's domain
//	80 AE       SET SESSION KEY (text); 80 A2 SET PUBLIC IC KEY; 80 FC (iPhone)
//
// Lengths are short or extended, other logical channels are refused, and the status words are
// JICSAP's.
//
// # What the facts leave open, and what was chosen
//
// What sources disagree about can be chosen for a chip: [Switches]. Beyond that:
//
//   - READ BINARY beyond the end of an EF answers 6B00. A certificate EF before its certificate is
//     written can be selected and is empty, so that reading it answers 6B00 as well (after its read
//     rule: 6982 comes first). OpenSC takes 6B00 for the end of the file.
//   - VERIFY with data that cannot be the PIN (a wrong length) is a wrong try like any other.
//   - A PIN that was never set behaves as a blocked one: the query gives 63C0, VERIFY 6984.
//   - COMPUTE DIGITAL SIGNATURE answers 6700 to data of a wrong length and to a missing or too
//     small Le, 6A88 before a key exists. PSS uses MGF1 with SHA-256 and a salt of 32 bytes.
//   - CHANGE REFERENCE DATA, CHANGE KEY and RESET RETRY COUNTER answer 6A80 to a new PIN outside its
//     format (four digits; 6 to 16 of A-Z 0-9), and 6985 where the PIN is changed by the other
//     command or, as check numbers, not at all. That letters and digits are both needed is the
//     client's rule, as on the plastic card.
//   - The date of birth that opens the age has ten tries, as the check numbers have.
//   - GET DATA gives the value of a data object without tag and length, READ RECORD the whole
//     record; an Le that is smaller gets 6700.
//   - SET SESSION KEY is checked and has no effect, because no source tells what follows it;
//     SET PUBLIC IC KEY gets 6A86 whatever P1 and P2 are, because no source tells which are right.
//   - The applications' own keys belong to a batch of chips, not to one: [BatchKeys].
//   - A terminal that compares the face (RoleFace) uses the authentication key without a PIN; real
//     ones do so by means that are not public.
//   - The next card is announced and not specified: names, files and commands of its profile are
//     our reading.
//   - A write to memory that fails answers 6581; the chip then behaves as after a reset and
//     reads its image again before the next command.
//
// # The free area
//
// Applications of others (空き領域) are data that their providers lay out, write and delete with tickets of the
// authority: Ticket says what a ticket is, free.go has the commands, FreeApplication what an application may consist of.
// They are selected by their whole names only; inside one, its own few commands are all there is.
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
//	                          P1 03 is the active key, 04 the one for session keys.
//	80 D6 P1 P2 Lc data       UPDATE BINARY, offsets as in READ BINARY. See below.
//	80 D7 00 00 Lc data       the same for all of the current EF at once, short or extended.
//	80 DC n P2 Lc data        UPDATE RECORD: record n, or the one after the last.
//	80 DA P1 P2 Lc data       PUT DATA: a data object of the issuer's domain.
//	80 2C 00 P2 Lc newPIN     RESET RETRY COUNTER: sets the PIN and fills its counter.
//
// A certificate EF is written in order from offset 0 and staged in volatile memory until the
// length in its first four bytes (30 82 xx xx) is reached. The command that brings the last byte
// checks that the certificate carries the public key of the pending key, and then stores
// certificate and key in one image: the pending key becomes the active one. Until then the old
// key and the old certificate go on working, the pending key survives power cuts and can be read
// again, so that an interrupted re-issue is repeated from where it stood. A certificate of the
// active key may be written again; one of any other key is refused with 6A80.
// Production and counter terminals may generate, write certificates and what follows the
// register (the four items, the face, their signatures), and reset counters; what stays with the
// card is written by production alone. A terminal authenticates in each application anew.
package card
