package country

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/goccy/go-yaml"
)

// mergeConfig makes of a configuration file that was written as base and is now mine the one that a
// release would write as next: what differs between base and mine was changed by hand and stays, all
// else is next's. kept names the members that stayed, a.b for one inside another.
func mergeConfig(base, mine, next []byte) (merged []byte, kept []string, err error) {
	var members [3]yaml.MapSlice
	for i, text := range [][]byte{base, mine, next} {
		if members[i], err = readMembers(text); err != nil {
			return nil, nil, err
		}
	}
	out := merge(members[0], members[1], members[2], "", &kept)
	merged, err = yaml.Marshal(out)
	return merged, kept, err
}

func readMembers(text []byte) (yaml.MapSlice, error) {
	var m yaml.MapSlice
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.UseOrderedMap()).Decode(&m)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return m, err
}

func merge(base, mine, next yaml.MapSlice, prefix string, kept *[]string) (out yaml.MapSlice) {
	note := func(key any) { *kept = append(*kept, prefix+fmt.Sprint(key)) }
	for _, n := range next {
		b, inBase := member(base, n.Key)
		m, inMine := member(mine, n.Key)
		mineMap, isMap := m.(yaml.MapSlice)
		nextMap, isMapNext := n.Value.(yaml.MapSlice)
		baseMap, _ := b.(yaml.MapSlice)
		switch {
		case inMine && isMap && isMapNext:
			out = append(out, yaml.MapItem{Key: n.Key, Value: merge(baseMap, mineMap, nextMap, prefix+fmt.Sprint(n.Key)+".", kept)})
		case inMine && inBase && same(m, b), inMine && same(m, n.Value), !inMine && !inBase:
			out = append(out, n)
		case inMine:
			note(n.Key)
			out = append(out, yaml.MapItem{Key: n.Key, Value: m})
		default: // taken out by hand
			note(n.Key)
		}
	}
	for _, m := range mine {
		_, inBase := member(base, m.Key)
		if _, inNext := member(next, m.Key); !inNext && !inBase { // put in by hand; what the program itself wrote once and writes no more goes
			note(m.Key)
			out = append(out, m)
		}
	}
	return out
}

func member(s yaml.MapSlice, key any) (any, bool) {
	for _, i := range s {
		if reflect.DeepEqual(i.Key, key) {
			return i.Value, true
		}
	}
	return nil, false
}

func same(a, b any) bool { return reflect.DeepEqual(a, b) }
