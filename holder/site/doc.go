// Package site is the holder as an actor with pages: a relying party's signed request comes in, a
// person sees who asks for what, taps a card, types its PIN, reads what is to be signed, and the answer
// goes out. It is what becomes an OpenID provider later.
//
// It owns the way of one request (the flow), which lives in memory only and ends in minutes, and a list of
// what was answered. It trusts platforms that the directory names and nobody else: a relying party is who
// the platform says it is. It never keeps a PIN, never puts one into a page or a log, never tries one
// twice, never sends an answer elsewhere than to the origin that asked, and never signs twice for one
// request. Whoever reaches the site reaches the cards in its folder, so it belongs on the person's own
// machine. Local is the same on a person's own computer, for cards in its readers. It does not judge
// certificates: what looks wrong about one is said, and the person decides.
package site
