package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Check looks at every member of c, which Read has filled, by the rules at its fields, and gives all that
// is wrong, each with its place and what to do. Nothing is written.
func (f *File) Check(c any) error {
	k := &checker{File: f}
	k.directory = k.openDirectory(c)
	k.walk(reflect.ValueOf(c), "")
	switch len(k.wrong) {
	case 0:
		return nil
	case 1:
		return k.wrong[0]
	}
	var all strings.Builder
	for _, w := range k.wrong {
		fmt.Fprintf(&all, "\n  %v", w)
		if e, ok := errors.AsType[*jitsuin.Error](w); ok && e.Hint != "" {
			fmt.Fprintf(&all, " (%s)", e.Hint)
		}
	}
	return jitsuin.Errorf(jitsuin.Invalid, "config", "%d things are wrong:%s", len(k.wrong), all.String())
}

type checker struct {
	*File
	directory *httpapi.Directory // nil where it cannot be read; that is said at its member
	wrong     []error
}

// openDirectory opens the signed list of instances that the configuration names.
func (k *checker) openDirectory(c any) *httpapi.Directory {
	path, key := stringAt(reflect.ValueOf(c), "directory"), stringAt(reflect.ValueOf(c), "directory_key")
	if path == "" || key == "" {
		return nil
	}
	raw, err := os.ReadFile(k.abs(key))
	if err != nil {
		return nil // said at directory_key
	}
	public, problem := publicKey(raw)
	if problem != "" {
		return nil
	}
	d, err := httpapi.OpenDirectory(k.abs(path), public)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t, _ := k.place("directory")
		k.wrong = append(k.wrong, k.at(t, "directory", "the directory cannot be used: %v", err).
			WithHint("it must be signed by the operator whose key is directory_key"))
	}
	return d
}

func stringAt(v reflect.Value, name string) string {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	for _, f := range fields(v.Type()) {
		if f.inline {
			if s := stringAt(v.Field(f.index), name); s != "" {
				return s
			}
		} else if f.name == name && f.typ.Kind() == reflect.String {
			return v.Field(f.index).String()
		}
	}
	return ""
}

func (k *checker) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(k.base, path)
}

func (k *checker) walk(v reflect.Value, prefix string) {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return
	}
	for _, f := range fields(v.Type()) {
		value := v.Field(f.index)
		if f.inline {
			k.walk(value, prefix)
			continue
		}
		for rule := range strings.SplitSeq(f.check, ",") {
			if rule != "" && !k.rule(prefix+f.name, rule, value) {
				break
			}
		}
		k.walk(value, prefix+f.name+".")
		if value.Kind() == reflect.Map {
			for _, key := range value.MapKeys() {
				k.walk(value.MapIndex(key), prefix+f.name+"."+key.String()+".")
			}
		}
	}
}

// rule applies one rule to a member; false where it is broken.
func (k *checker) rule(member, rule string, v reflect.Value) bool {
	name, arg, _ := strings.Cut(rule, "=")
	t, there := k.place(member)
	if name == "required" {
		if there && !v.IsZero() {
			return true
		}
		k.say(member, "the member is missing, and there is no default", "add it: jitsuin config show ROLE says what it is")
		return false
	}
	if !there {
		return true
	}
	for _, text := range texts(v) {
		if problem, hint := k.apply(name, arg, text, v); problem != "" {
			k.wrong = append(k.wrong, k.at(t, member, "%s", problem).WithHint("%s", hint))
			return false
		}
	}
	return true
}

// say is an error where a member is missing: at the mapping that lacks it.
func (k *checker) say(member, problem, hint string) {
	t, _ := k.place(member)
	k.wrong = append(k.wrong, k.at(t, member, "%s", problem).WithHint("%s", hint))
}

// texts gives a value as text, a list's one by one.
func texts(v reflect.Value) (all []string) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			all = append(all, texts(v.Index(i))...)
		}
		return all
	case reflect.Int, reflect.Int64, reflect.Int32:
		return []string{strconv.FormatInt(v.Int(), 10)}
	}
	return []string{v.String()}
}

// apply gives what is wrong with a value and what to do, "" for nothing.
func (k *checker) apply(name, arg, text string, v reflect.Value) (problem, hint string) {
	switch name {
	case "hostport":
		return hostport(text)
	case "database":
		return k.database(text)
	case "file":
		return k.file(text)
	case "folder":
		return k.folder(text)
	case "private-key":
		return k.key(text, privateKey)
	case "public-key":
		return k.key(text, func(raw []byte) string { _, p := publicKey(raw); return p })
	case "instance":
		return instance(text, arg)
	case "listed":
		return k.listed(text)
	case "origin":
		return origin(text)
	case "one-of":
		if words := strings.Split(arg, "|"); text != "" && !slices.Contains(words, text) {
			return fmt.Sprintf("%q is none of the words that it may be", text), "write one of: " + strings.Join(words, ", ")
		}
	case "positive", "not-negative":
		if v.CanInt() && (v.Int() < 0 || name == "positive" && v.Int() == 0) {
			return "the value must be above zero", "leave the member out for the default"
		}
	case "range":
		low, high, _ := strings.Cut(arg, "..")
		a, _ := strconv.ParseInt(low, 10, 64)
		b, _ := strconv.ParseInt(high, 10, 64)
		if v.CanInt() && v.Int() != 0 && (v.Int() < a || v.Int() > b) {
			return fmt.Sprintf("the value must lie from %s to %s", low, high), "leave the member out for the default"
		}
	default:
		panic("config: there is no rule " + name) // a mistake in a tag, found by the first test
	}
	return "", ""
}

func hostport(text string) (problem, hint string) {
	const how = "write HOST:PORT, such as 127.0.0.1:8400 or :443"
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Sprintf("%q is no HOST:PORT", text), how
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Sprintf("%q has no port from 1 to 65535", text), how
	}
	return "", ""
}

func (k *checker) database(text string) (problem, hint string) {
	const how = "write the path of an SQLite file, or postgres://USER@HOST/NAME"
	scheme, rest, ok := strings.Cut(text, "://")
	switch {
	case ok && scheme != "postgres" && scheme != "postgresql":
		return fmt.Sprintf("there is no kind of database %q", scheme), how
	case ok:
		if u, err := url.Parse(text); err != nil || u.Host == "" && rest == "" {
			return "the URL of the database cannot be read", how
		}
		return "", ""
	}
	path := k.abs(strings.TrimPrefix(text, "sqlite:"))
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return "there is a folder in the place of the database", how
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			return fmt.Sprintf("%s is no folder", dir), how
		}
		if err == nil || dir == filepath.Dir(dir) {
			return "", ""
		}
	}
}

func (k *checker) file(text string) (problem, hint string) {
	if text == "" {
		return "", ""
	}
	f, err := os.Open(k.abs(text))
	if err != nil {
		return fmt.Sprintf("the file cannot be read: %v", err), "paths are relative to the folder of the configuration file, here " + k.base
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return "this is a folder, not a file", "name the file in it"
	}
	return "", ""
}

func (k *checker) folder(text string) (problem, hint string) {
	if text == "" {
		return "", ""
	}
	f, err := os.Open(k.abs(text))
	if err != nil {
		return fmt.Sprintf("the folder cannot be read: %v", err), "make it; paths are relative to the folder of the configuration file, here " + k.base
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.IsDir() {
		return "this is a file, not a folder", "name the folder that it lies in"
	}
	return "", ""
}

func (k *checker) key(text string, look func([]byte) string) (problem, hint string) {
	if text == "" {
		return "", ""
	}
	if problem, hint = k.file(text); problem != "" {
		return problem, hint
	}
	raw, err := os.ReadFile(k.abs(text))
	if err != nil {
		return err.Error(), "make the file readable for this user"
	}
	if problem = look(raw); problem != "" {
		return problem, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 makes such a key, openssl pkey -pubout its public half"
	}
	return "", ""
}

func privateKey(raw []byte) string {
	block, _ := pem.Decode(raw)
	if block == nil {
		return "the file is no PEM file"
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := any.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return "the file holds no P-256 private key in PKCS #8"
	}
	return ""
}

func publicKey(raw []byte) (*ecdsa.PublicKey, string) {
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, "the file is no PEM file"
	}
	any, err := x509.ParsePKIXPublicKey(block.Bytes)
	key, ok := any.(*ecdsa.PublicKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, "the file holds no P-256 public key"
	}
	return key, ""
}

func instance(text, roles string) (problem, hint string) {
	if text == "" {
		return "", ""
	}
	role, name, ok := strings.Cut(text, ":")
	if !ok || role == "" || name == "" {
		return fmt.Sprintf("%q is no instance", text), "write ROLE:NAME, such as jlis:1 or municipality:91201"
	}
	if roles != "" && !slices.Contains(strings.Split(roles, "|"), role) {
		return fmt.Sprintf("%q is a %s, and this is the place of a %s", text, role, strings.ReplaceAll(roles, "|", " or ")), "write an instance of that role"
	}
	return "", ""
}

func (k *checker) listed(text string) (problem, hint string) {
	if text == "" || k.directory == nil {
		return "", ""
	}
	if _, err := k.directory.Lookup(text); err != nil {
		var near []string
		for _, i := range k.directory.All() {
			if httpapi.RoleOf(i.ID) == httpapi.RoleOf(text) {
				near = append(near, i.ID)
			}
		}
		hint = "it has none of that role; have the operator add it"
		if len(near) > 0 {
			hint = "it has: " + strings.Join(near, ", ")
		}
		return fmt.Sprintf("%q is not in the directory", text), hint
	}
	return "", ""
}

func origin(text string) (problem, hint string) {
	if text == "" {
		return "", ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return fmt.Sprintf("%q is no web origin", text), "write https://HOST without a path"
	}
	return "", ""
}

// Wrong is an error at a member that the rules cannot tell, such as a role that is not the one asked for.
func (f *File) Wrong(member, problem, hint string) *jitsuin.Error {
	return f.WrongAs("config", member, problem, hint)
}

// WrongAs is Wrong with another code.
func (f *File) WrongAs(code, member, problem, hint string) *jitsuin.Error {
	t, _ := f.place(member)
	e := f.at(t, member, "%s", problem).WithHint("%s", hint)
	e.Code = code
	return e
}
