//go:build race

package audit

const mutants = 600 // the race detector makes reading JSON ten times slower; make race runs all without it, too
