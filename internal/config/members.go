package config

import (
	"reflect"
	"strings"
	"time"
)

// field is a member of a configuration struct.
type field struct {
	name   string
	typ    reflect.Type
	check  string
	index  int
	inline bool
}

// fields lists the members of a struct type; those of inlined structs come as one with inline set.
func fields(t reflect.Type) (all []field) {
	t = deref(t)
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("yaml")
		name, options, _ := strings.Cut(tag, ",")
		inline := strings.Contains(options, "inline")
		if !ok || name == "-" || name == "" && !inline {
			continue
		}
		all = append(all, field{name: name, typ: f.Type, check: f.Tag.Get("check"), index: i, inline: inline})
	}
	return all
}

func deref(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// membersOf lists the members below a path, "" for the top.
func membersOf(t reflect.Type, path string) (names []string) {
	if path != "" {
		inner, ok := typeAt(t, path)
		if !ok {
			return nil
		}
		t = inner
	}
	for _, f := range fields(t) {
		if f.inline {
			names = append(names, membersOf(f.typ, "")...)
			continue
		}
		names = append(names, f.name)
	}
	return names
}

// typeAt gives the type of a member by its path.
func typeAt(t reflect.Type, path string) (reflect.Type, bool) {
	name, rest, more := strings.Cut(path, ".")
	t = deref(t)
	if t.Kind() == reflect.Map {
		if more {
			return typeAt(t.Elem(), rest)
		}
		return t.Elem(), true
	}
	for _, f := range fields(t) {
		if f.inline {
			if inner, ok := typeAt(f.typ, path); ok {
				return inner, true
			}
			continue
		}
		if f.name == name {
			if more {
				return typeAt(f.typ, rest)
			}
			return f.typ, true
		}
	}
	return nil, false
}

// describe says what a value of a type looks like.
func describe(t reflect.Type) string {
	t = deref(t)
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a duration such as 30s or 5m"
	case t == reflect.TypeFor[time.Time]():
		return "a time such as 2027-01-15T09:00:00+09:00"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint, reflect.Uint32, reflect.Uint64, reflect.Int32:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list, each in a line of its own after a dash, of " + describe(t.Elem())
	case reflect.Map, reflect.Struct:
		return "members of its own, indented below it"
	}
	return t.String()
}

// nearest gives the name that differs least, "" where none is near.
func nearest(name string, names []string) string {
	best, distance := "", len(name)/2+1
	for _, n := range names {
		if d := distanceOf(name, n); d < distance {
			best, distance = n, d
		}
	}
	return best
}

// distanceOf counts the letters to put in, take out or change (Levenshtein).
func distanceOf(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
