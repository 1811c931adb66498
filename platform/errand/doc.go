// Package errand sends a browser from a page of the platform's own to its holder (the program with the card) and takes it
// back: for logins at the platform's own origin and for documents that a resident signs there. It is the platform's own
// side of what a relying party does (package services/securities), and everything at this origin that needs a card comes here:
//
//	desk.Handle("me", errand.Handler{Decide: …, Arrive: …})       // once, before the platform runs
//	desk.Begin(w, r, errand.Request{Name: "me", Act: api.ActLogin, Purpose: …, PurposeEN: …, Bound: true})
//
// Begin notes the request and leads the browser away. The holder posts its answer to /errands/answers; Decide judges it, and
// its outcome is noted with a code by which the browser comes back to /errands/return, once and, where the request is Bound, only
// the browser that began. Arrive then goes on: begins a session, shows a page.
//
// Where a second way is open, BeginPresent leads the browser to a port at which it shows the card's certificate itself, and Present takes
// what it showed there in the place of a holder's answer; the way back is the same.
//
// BeginElsewhere leaves the browser where it is, with a QR code for another device, which answers as a holder does and shows six digits; the browser
// goes on when they were typed there.
//
// It owns the table errands and nothing else. It never judges a signature, knows no resident, and keeps no answer: of an answer it
// notes the digest.
package errand
