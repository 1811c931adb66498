// Package pdf reads PDF files as a verifier of signatures must (ISO 32000-2; PAdES, EN 319 142-1):
// strictly, one revision at a time, and only what is asked for.
package pdf
