// Package face is what can be seen of a card: the printed front and back as SVG and PNG, an invented portrait, and
// the pictures that go on the chip (name and address as 1-bit PNG, the number, the security code, the photo as grey
// JPEG 2000), so that the photo on the face and the one on the chip are the same drawing.
//
// It draws what it is told and knows nobody: it opens no database, asks no actor, keeps nothing. My Number is drawn
// only from a Disclosure, which names a body and a lawful purpose; whoever makes one records it.
//
// A sheet made here cannot pass for a card: it has colours, pattern and layout of its own and says 見本 / SAMPLE /
// JPKI-TEST across both sides. Portraits are drawn by rule from an identifier and show no real person.
//
// What is our choice, because no public source has it: the layout but for the items that the deck of 2018 shows;
// 旧氏 and 通称 on a line of their own below the name; no furigana (today's card has none on its face); four lines in
// the 追記欄; the sizes of the chip's name, address and photo, of which only the two numbers' (72 × 12, 24 × 12) are known.
package face
