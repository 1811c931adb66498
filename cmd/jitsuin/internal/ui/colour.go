package ui

type colour string

const (
	red    colour = "\x1b[31m"
	green  colour = "\x1b[32m"
	yellow colour = "\x1b[33m"
)

func paint(on bool, c colour, s string) string {
	if !on {
		return s
	}
	return string(c) + s + "\x1b[0m"
}

// Judged colours a line by an exit code of "jitsuin verify": green, red, or yellow for all that is
// neither.
func (f *Face) Judged(line string, code int) string {
	switch code {
	case 0:
		return paint(f.ColorOut, green, line)
	case 1:
		return paint(f.ColorOut, red, line)
	}
	return paint(f.ColorOut, yellow, line)
}
