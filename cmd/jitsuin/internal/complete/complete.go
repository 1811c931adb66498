// Package complete writes completion scripts for shells from the model of the command line, so
// that they never say anything else than the program itself.
//
// The scripts know commands, flags and the values of flags that have a fixed list; where none of
// these fit, the shell completes file names.
package complete

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/jitsuin/jitsuin"
)

// place is a command and what may follow it.
type place struct {
	path  string // "jitsuin card list"
	words []word // subcommands and flags
}

type word struct {
	text, help string
	values     []string // of a flag with a fixed list
}

// Write writes the script for bash, zsh or fish.
func Write(w io.Writer, shell string, app *kong.Application) error {
	places := placesOf(app.Node, app.Name, nil)
	switch shell {
	case "bash":
		return writeBash(w, app.Name, places)
	case "zsh":
		return writeZsh(w, app.Name, places)
	case "fish":
		return writeFish(w, app.Name, places)
	}
	return jitsuin.Errorf(jitsuin.Unsupported, "shell", "there is no completion for %q", shell).WithHint("bash, zsh and fish are known")
}

// placesOf walks the commands from n on; the flags of a command hold below it too.
func placesOf(n *kong.Node, path string, inherited []word) []place {
	flags := slices.Clone(inherited)
	for _, f := range n.Flags {
		if !f.Hidden {
			flags = append(flags, word{"--" + f.Name, f.Help, valuesOf(f.Value)})
		}
	}
	here := place{path: path}
	var below []place
	for _, c := range n.Children {
		if c.Hidden {
			continue
		}
		here.words = append(here.words, word{text: c.Name, help: c.Help})
		below = append(below, placesOf(c, path+" "+c.Name, flags)...)
	}
	if d := n.DefaultCmd; d != nil {
		for _, f := range d.Flags {
			flags = append(flags, word{"--" + f.Name, f.Help, valuesOf(f.Value)})
		}
	}
	for _, p := range n.Positional {
		for _, v := range valuesOf(p) {
			here.words = append(here.words, word{text: v})
		}
	}
	here.words = append(here.words, flags...)
	return append([]place{here}, below...)
}

func valuesOf(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return slices.Sorted(maps.Keys(v.EnumMap()))
}

func (p place) list() string {
	var all []string
	for _, w := range p.words {
		all = append(all, w.text)
	}
	return strings.Join(all, " ")
}

// cases writes the branches of a case over "$at $flag" and over "$at", which bash and zsh share.
func cases(w io.Writer, places []place) {
	fmt.Fprintf(w, "  case \"$at $flag\" in\n")
	for _, p := range places {
		for _, f := range p.words {
			if f.values != nil {
				fmt.Fprintf(w, "    %q) known=%q ;;\n", p.path+" "+f.text, strings.Join(f.values, " "))
			}
		}
	}
	fmt.Fprintf(w, "    *) case \"$at\" in\n")
	for _, p := range places {
		fmt.Fprintf(w, "      %q) known=%q ;;\n", p.path, p.list())
	}
	fmt.Fprintf(w, "    esac ;;\n  esac\n")
}

// commands writes the pattern of all commands below the first, as case takes it.
func commands(places []place) string {
	var all []string
	for _, p := range places[1:] {
		all = append(all, fmt.Sprintf("%q", p.path))
	}
	return strings.Join(all, "|")
}

func writeBash(w io.Writer, name string, places []place) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, `# Completion for bash. Try it with: source <(%[1]s completion bash)
_%[1]s() {
  local at=%[1]s known="" flag="${COMP_WORDS[COMP_CWORD-1]}" word="${COMP_WORDS[COMP_CWORD]}" i
  if [ "$word" = "=" ]; then word=""; elif [ "$flag" = "=" ]; then flag="${COMP_WORDS[COMP_CWORD-2]}"; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at ${COMP_WORDS[i]}" in
      %[2]s) at="$at ${COMP_WORDS[i]}" ;;
    esac
  done
`, name, commands(places))
	cases(b, places)
	fmt.Fprintf(b, `  COMPREPLY=($(compgen -W "$known" -- "$word"))
}
complete -o default -F _%[1]s %[1]s
`, name)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeZsh(w io.Writer, name string, places []place) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, `#compdef %[1]s
# Completion for zsh. Put it in a folder of $fpath as _%[1]s.
_%[1]s() {
  local at=%[1]s known="" flag="${words[CURRENT-1]}" i
  for ((i = 2; i < CURRENT; i++)); do
    case "$at ${words[i]}" in
      %[2]s) at="$at ${words[i]}" ;;
    esac
  done
`, name, commands(places))
	cases(b, places)
	fmt.Fprintf(b, `  compadd -- ${=known} || _files
}
compdef _%[1]s %[1]s
`, name)
	_, err := io.WriteString(w, b.String())
	return err
}

func writeFish(w io.Writer, name string, places []place) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, `# Completion for fish. Put it in ~/.config/fish/completions/%[1]s.fish
function __%[1]s_at
  set -l at %[1]s
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case %[2]s
        set at "$at $word"
    end
  end
  echo $at
end
`, name, strings.ReplaceAll(commands(places), "|", " "))
	for _, p := range places {
		for _, f := range p.words {
			at := fmt.Sprintf("complete -c %s -n 'test (__%s_at) = %q'", name, name, p.path)
			help := strings.NewReplacer("'", "’", "\n", " ").Replace(f.help)
			flag, ok := strings.CutPrefix(f.text, "--")
			switch {
			case !ok:
				fmt.Fprintf(b, "%s -a %s -d '%s'\n", at, f.text, help)
			case f.values != nil:
				fmt.Fprintf(b, "%s -l %s -x -a '%s' -d '%s'\n", at, flag, strings.Join(f.values, " "), help)
			default:
				fmt.Fprintf(b, "%s -l %s -d '%s'\n", at, flag, help)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
