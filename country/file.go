package country

import "github.com/jitsuin/jitsuin/internal/files"

// How the folder's files are put in place.
var (
	replace = files.Replace
	keep    = files.Keep
)
