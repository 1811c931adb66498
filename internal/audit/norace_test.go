//go:build !race

package audit

const mutants = 10_000
