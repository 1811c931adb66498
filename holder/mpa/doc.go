// Package mpa speaks the native-messaging protocol by which a page's browser extension reaches the card through the state's browser
// host (マイナポータルアプリ, MPA), so that web flows made for it can be tested on Linux: modes 01 (authentication), 02 (signatures), 04
// (four items) and 05 (end). Framing is the browsers': a length of four bytes in the machine's order, and JSON.
//
// It owns frames and messages. It never signs anything but a DigestInfo of SHA-256, keeps no PIN, and writes nothing but answers
// to its output. What is known of the protocol was found out by others from the state's host; no document says it. Ours to choose were:
// the names of the members that are not listed in what was found out (mode 02 and 04 follow those of mode 01), the salt of
// combination_code, and that a frame has at most 1 MiB in each direction.
//
// Mode 01 signs a digest that a page chose with the authentication key. That is a legacy exception: the holder's own requests sign structured
// challenges only, which no page can choose. It is off unless the caller says so (Host.Legacy).
package mpa
