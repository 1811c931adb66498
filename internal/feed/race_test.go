//go:build race

package feed

const raceEnabled = true // the race detector makes SQLite ten times slower
