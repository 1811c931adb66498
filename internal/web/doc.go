// Package web is what all pages share: one catalogue of texts in Japanese and English, the frame
// around every page (who is speaking, language switch, skip link), forms that lose nothing that was
// typed, pages for errors that say what to do next, and sessions.
//
// It knows no actor. An actor brings its templates, its accent colour and its scripts, and registers
// its pages with the same access policies as its API. Pages are complete without script; scripts are
// files of our own. It must never put a PIN, a My Number or a resident code into a page.
package web
