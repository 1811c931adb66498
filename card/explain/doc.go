// Package explain puts what is said between a card and a program into words, Japanese and English,
// and takes out before that what nobody may see: PINs and passwords, keys that take their place, and My
// Number wherever a card gives it.
//
// It owns the words and the rule of what is masked; the console's page of a message, the --trace of
// the command line and its shell use it alike. It follows which application and file are selected by
// listening alone: it sends nothing to a card, and decides nothing about what a card may be told.
package explain
