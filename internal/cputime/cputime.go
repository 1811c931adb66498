// Package cputime tells how much processor time this process has used. Tests that say "this ends soon" ask it
// and not the clock: on a machine that does other things, time passes while nothing is computed.
package cputime
