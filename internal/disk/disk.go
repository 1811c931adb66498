// Package disk tells how full the file system of a path is. It owns nothing and writes nothing.
package disk

// Space is the room of a file system, in bytes. Free is what this process may still use.
type Space struct{ Free, Total uint64 }
