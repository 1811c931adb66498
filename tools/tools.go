//go:build tools

// Package tools pins the programs that `make lint` builds, apart from what the product needs. Beside it
// lies what makes releases.
package tools

import _ "honnef.co/go/tools/cmd/staticcheck"
