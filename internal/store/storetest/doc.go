// Package storetest gives tests fresh databases on every backend that the project supports.
//
// PostgreSQL is one private cluster per test process, started from the binaries of Debian's
// package postgresql, or the server that JITSUIN_TEST_POSTGRES names. Where there is none the
// PostgreSQL half is skipped loudly, except under CI=true, where it fails.
package storetest
