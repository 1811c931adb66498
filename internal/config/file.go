package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/jitsuin/jitsuin"
)

// File is a configuration file that was read.
type File struct {
	path string
	base string // the folder that relative paths are relative to
	root ast.Node
}

// ReadSome decodes only the members that c has, whatever else is in the file.
func ReadSome(path string, c any) (*File, error) { return read(path, c, yaml.AllowDuplicateMapKey()) }

// Read decodes the file at path into c, a pointer to a struct. Unknown members, wrong types and doubled
// members are errors (Invalid, "config") that say where.
func Read(path string, c any) (*File, error) {
	return read(path, c, yaml.Strict(), yaml.DisallowUnknownField())
}

func read(path string, c any, how ...yaml.DecodeOption) (*File, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, jitsuin.Errorf(jitsuin.Invalid, "config-read", "the configuration cannot be read: %w", err).
			WithHint("name a file that this user may read; jitsuin up writes such files into FOLDER/config")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, base: filepath.Dir(abs)}
	parsed, err := parser.ParseBytes(raw, 0, parser.AllowDuplicateMapKey()) // the decoder refuses them
	if err != nil {
		return nil, f.decodeError(err, c)
	}
	if len(parsed.Docs) > 1 && parsed.Docs[1].Body != nil {
		return nil, f.at(parsed.Docs[1].Body.GetToken(), "", "the file has a second document").WithHint("one file configures one actor: remove the line --- and what follows")
	}
	if len(parsed.Docs) > 0 {
		f.root = parsed.Docs[0].Body
	}
	d := yaml.NewDecoder(bytes.NewReader(raw), how...)
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return nil, f.decodeError(err, c)
	}
	return f, nil
}

// at is an error at a place of the file; member "" for none.
func (f *File) at(t *token.Token, member, format string, args ...any) *jitsuin.Error {
	where := f.path + ":1:1"
	if t != nil && t.Position != nil {
		where = fmt.Sprintf("%s:%d:%d", f.path, t.Position.Line, t.Position.Column)
	}
	if member != "" {
		where += ": " + member
	}
	e := jitsuin.Errorf(jitsuin.Invalid, "config", "%s: %s", where, fmt.Sprintf(format, args...))
	if member != "" {
		e = e.At(member)
	}
	return e
}

// decodeError says in our words what the decoder found.
func (f *File) decodeError(err error, c any) error {
	said, ok := errors.AsType[yaml.Error](err)
	if !ok { // the decoder does not say where a duration is wrong
		if member := f.badDuration(reflect.TypeOf(c), f.root, ""); member != "" {
			t, _ := f.place(member)
			return f.at(t, member, "this must be %s, not %q", describe(reflect.TypeFor[time.Duration]()), t.Value).
				WithHint("write a number and a unit: 500ms, 30s, 5m, 24h")
		}
		return f.at(nil, "", "%v", err).WithHint("jitsuin config show ROLE lists all members with examples")
	}
	t := said.GetToken()
	member := f.memberAt(t)
	var unknown *yaml.UnknownFieldError
	var doubled *yaml.DuplicateKeyError
	var syntax *yaml.SyntaxError
	switch {
	case errors.As(err, &unknown):
		parent, name := split(member)
		if name == "" {
			name = t.Value
		}
		e := f.at(t, member, "there is no such member")
		if near := nearest(name, membersOf(reflect.TypeOf(c), parent)); near != "" {
			return e.WithHint("did you mean %q?", near)
		}
		return e.WithHint("the members are: %s", strings.Join(membersOf(reflect.TypeOf(c), parent), ", "))
	case errors.As(err, &doubled), errors.As(err, &syntax) && strings.HasPrefix(said.GetMessage(), "mapping key"):
		if member == "" {
			member = t.Value
		}
		return f.at(t, member, "the member stands here a second time").WithHint("remove one of the two")
	case errors.As(err, &syntax):
		return f.at(t, "", "this is no YAML: %s", said.GetMessage()).WithHint("look at the indentation, colons and quotes around this place")
	}
	want := "something else"
	if field, ok := typeAt(reflect.TypeOf(c), member); ok {
		want = describe(field)
	}
	return f.at(t, member, "this must be %s, not %q", want, t.Value).WithHint("jitsuin config show ROLE lists all members with examples")
}

// badDuration finds a member that should be a duration and is none.
func (f *File) badDuration(t reflect.Type, n ast.Node, prefix string) string {
	for _, m := range mapping(n) {
		member := prefix + m.Key.GetToken().Value
		typ, ok := typeAt(t, member)
		if !ok {
			continue
		}
		if deref(typ) == reflect.TypeFor[time.Duration]() {
			if _, err := time.ParseDuration(m.Value.GetToken().Value); err != nil {
				return member
			}
		}
		if inner := f.badDuration(t, m.Value, member+"."); inner != "" {
			return inner
		}
	}
	return ""
}

// memberAt finds the member at which a token stands: its key, its value, or something inside that is no mapping.
func (f *File) memberAt(t *token.Token) string {
	if t == nil || t.Position == nil {
		return ""
	}
	best := ""
	var walk func(n ast.Node, prefix string)
	walk = func(n ast.Node, prefix string) {
		for _, m := range mapping(n) {
			at := m.Key.GetToken().Position
			if at.Line > t.Position.Line || at.Line == t.Position.Line && at.Column > t.Position.Column {
				return // members stand in their order
			}
			best = prefix + m.Key.GetToken().Value
			walk(m.Value, best+".")
		}
	}
	root := f.root
	if root == nil {
		raw, err := os.ReadFile(f.path)
		if err != nil {
			return ""
		}
		if parsed, err := parser.ParseBytes(raw, 0, parser.AllowDuplicateMapKey()); err == nil && len(parsed.Docs) > 0 {
			root = parsed.Docs[0].Body
		}
	}
	walk(root, "")
	return best
}

// mapping gives the entries of a mapping, none of anything else.
func mapping(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	case *ast.AnchorNode:
		return mapping(n.Value)
	}
	return nil
}

// place gives the token of a member's value, or of the nearest that is there: the mapping that lacks it.
func (f *File) place(member string) (t *token.Token, there bool) {
	n := f.root
	if m := mapping(n); len(m) > 0 {
		t = m[0].Key.GetToken()
	}
	for _, name := range strings.Split(member, ".") {
		found := false
		for _, m := range mapping(n) {
			if m.Key.GetToken().Value == name {
				n, found = m.Value, true
				t = m.Key.GetToken()
				if v := m.Value.GetToken(); v != nil && len(mapping(m.Value)) == 0 {
					t = v
				}
			}
		}
		if !found {
			return t, false
		}
	}
	return t, true
}

func split(member string) (parent, name string) {
	i := strings.LastIndexByte(member, '.')
	if i < 0 {
		return "", member
	}
	return member[:i], member[i+1:]
}
