// Package contents is what is written on the chip of the Individual Number Card beside certificates:
// My Number and the four items as text (券面事項入力補助AP), the face as pictures (券面事項確認AP), the
// card's number (共通カードAP), and the signatures over them (券面署名) that let a reader know that
// the issuer wrote them.
//
// It owns the bytes of these files: how they are built, read strictly, signed and verified. It
// knows no chip, no person and no key store; private keys stay with whoever signs.
//
// # Form
//
// Files are BER-TLV with private tags of two bytes: FFxx for the file, DFxx inside. Lengths are as
// observed on a test card, also where they are longer than needed. Offset tables hold the places
// of the objects after them, counted from the file's first byte.
//
// # What is ours
//
//   - The hashed and signed bytes were found out by others from a test card for EF 0003 of the text
//     and EF 0002 of the visual application. For the card-verifiable certificate (the value of 5F4E),
//     the own key of the text application (DF51), the age (DF11 and DF12) and the picture of My Number
//     (DF41 and DF42) the same manner is our reading.
//   - DF43 of the text application and DF35 of the visual have bytes of unknown use. Ours are FF.
//     DF43's length must be written in three bytes, or the file would not have the observed length.
//   - Key ids are ours: they begin with JITSUIN.
package contents
