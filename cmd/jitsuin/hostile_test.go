package main

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// hostile are files made to cost a verifier time or memory without end. Each is answered, whatever the answer.
func hostile() map[string][]byte {
	all := map[string][]byte{}
	for name, b := range hostileXML() {
		all[name+".xml"] = b
	}
	for name, b := range hostilePDF() {
		all[name+".pdf"] = b
	}
	for name, b := range hostileDER() {
		all[name+".der"] = b
	}
	for name, b := range hostileJWS() {
		all[name+".jws"] = b
	}
	return all
}

const xmldsig = `xmlns="http://www.w3.org/2000/09/xmldsig#"`

func hostileXML() map[string][]byte {
	repeat := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	reference := func(uri, transforms string) string {
		return `<Reference URI="` + uri + `"><Transforms>` + transforms + `</Transforms><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue>bm90aGluZw==</DigestValue></Reference>`
	}
	signed := func(references string) string {
		return `<Signature ` + xmldsig + `><SignedInfo><CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>` +
			`<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>` + references + `</SignedInfo><SignatureValue>bm90aGluZw==</SignatureValue></Signature>`
	}
	const enveloped, canonical = `<Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>`, `<Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>`
	laughs := `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b0 "ha">`
	for i := 1; i < 30; i++ {
		laughs += fmt.Sprintf(`<!ENTITY b%d "&b%d;&b%d;&b%d;">`, i, i-1, i-1, i-1)
	}
	text := strings.Repeat("text ", 200_000)
	return map[string][]byte{
		"entities":            []byte(laughs + `]><a>&b29;</a>`),
		"deep":                []byte(strings.Repeat("<a>", 1_000_000)),
		"attributes":          []byte("<a " + repeat(` a%d="x"`, 200_000) + "/>"),
		"namespaces":          []byte("<a " + repeat(` xmlns:n%d="u"`, 100_000) + ">" + strings.Repeat("<b/>", 50_000) + signed(reference("", enveloped+canonical)) + "</a>"),
		"namespaces-deep":     []byte(repeat(`<a xmlns:n%d="u">`, 200) + signed(reference("", enveloped+canonical)) + strings.Repeat("</a>", 200)),
		"references":          []byte("<a>" + text + signed(strings.Repeat(reference("", enveloped+canonical), 5_000)) + "</a>"),
		"transforms":          []byte("<a>" + text + signed(reference("", enveloped+strings.Repeat(canonical, 10_000))) + "</a>"),
		"signatures":          []byte("<a>" + text + strings.Repeat(signed(reference("", enveloped+canonical)), 2_000) + "</a>"),
		"same-ids":            []byte("<a>" + strings.Repeat(`<b Id="x"/>`, 100_000) + signed(reference("#x", canonical)) + "</a>"),
		"ids-without-end":     []byte("<a>" + repeat(`<b Id="x%d"/>`, 100_000) + signed(reference("#x5", canonical)) + "</a>"),
		"signatures-in-depth": []byte("<a>" + strings.Repeat(`<Signature `+xmldsig+`><Object>`, 5_000) + strings.Repeat("</Object></Signature>", 5_000) + "</a>"),
		"comments":            []byte("<a>" + strings.Repeat("<!-- -->", 500_000) + "</a>"),
		"one-long-name":       []byte("<" + strings.Repeat("a", 4_000_000) + "/>"),
	}
}

func flate(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func hostilePDF() map[string][]byte {
	// file writes objects with a table, as the simplest writers do.
	file := func(trailer string, objects ...string) []byte {
		var b bytes.Buffer
		b.WriteString("%PDF-1.7\n")
		var offsets []int
		for i, o := range objects {
			offsets = append(offsets, b.Len())
			fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
		}
		at := b.Len()
		fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
		for _, o := range offsets {
			fmt.Fprintf(&b, "%010d 00000 n \n", o)
		}
		fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, trailer, at)
		return b.Bytes()
	}
	const catalog, pages, page = "<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[4 0 R]>>>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
	bomb := flate(make([]byte, 256<<20))
	stream := func(dict string, b []byte) string {
		return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(b), b)
	}
	var fields, many strings.Builder
	for i := range 3_000 {
		fmt.Fprintf(&fields, "%d 0 R ", i+4)
	}
	objects := []string{"<</Type/Catalog/Pages 2 0 R/AcroForm<</SigFlags 3/Fields[" + fields.String() + "]>>>>", pages, page}
	for i := range 3_000 {
		objects = append(objects, fmt.Sprintf("<</FT/Sig/T(%d)/V<</Type/Sig/Filter/A/SubFilter/ETSI.CAdES.detached/ByteRange[0 100 200 400000]/Contents<3000>>>>>", i))
	}
	for range 20_000 {
		many.WriteString("startxref\n9\n%%EOF\n")
	}
	self := file("/Prev 9", catalog, pages, page, "<</FT/Sig/T(a)/V 5 0 R>>", "<</Type/Sig>>")
	wide := make([]byte, 8)
	binary.BigEndian.PutUint64(wide, 1<<62)
	return map[string][]byte{
		"loop":            bytes.ReplaceAll(self, []byte("/Prev 9"), []byte(fmt.Sprintf("/Prev %d", bytes.Index(self, []byte("xref\n"))))),
		"kids-loop":       file("", catalog, "<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]>>"),
		"field-loop":      file("", catalog, pages, page, "<</T(a)/Kids[4 0 R 4 0 R]>>"),
		"deep-array":      file("", catalog, pages, page, strings.Repeat("[", 1_000_000)),
		"deep-dictionary": file("", catalog, pages, page, strings.Repeat("<</A", 500_000)),
		"flate":           file("", catalog, pages, page, stream("/Type/ObjStm/N 9/First 9/Filter/FlateDecode", bomb)),
		"flate-xref":      []byte("%PDF-1.7\n1 0 obj\n" + stream("/Type/XRef/Size 9999999/W[8 8 8]/Root 1 0 R/Filter/FlateDecode", bomb) + "\nendobj\nstartxref\n9\n%%EOF\n"),
		"flate-twice":     []byte("%PDF-1.7\n1 0 obj\n" + stream("/Type/XRef/Size 9/W[1 2 2]/Root 1 0 R/Filter[/FlateDecode/FlateDecode]", flate(bomb)) + "\nendobj\nstartxref\n9\n%%EOF\n"),
		"large-numbers":   []byte("%PDF-1.7\n1 0 obj\n" + stream("/Type/XRef/Size 9223372036854775807/Index[4611686018427387904 2]/W[1 8 8]/Root 1 0 R", bytes.Repeat(wide, 5)) + "\nendobj\nstartxref\n9\n%%EOF\n"),
		"table-size":      []byte("%PDF-1.7\nxref\n0 4000000000\n0000000000 65535 f \ntrailer\n<</Root 1 0 R/Size 4000000000>>\nstartxref\n9\n%%EOF\n"),
		"signatures":      append(file("", objects...), bytes.Repeat([]byte(" "), 400_000)...),
		"ends":            append(self, many.String()...),
		"strings":         file("", catalog, pages, page, "<</FT/Sig/T"+strings.Repeat("(", 1_000_000)+">>"),
		"names":           []byte("%PDF-1.7\n" + strings.Repeat("1 0 obj ", 300_000) + "startxref\n9\n%%EOF\n"),
	}
}

func hostileDER() map[string][]byte {
	length := func(n int) []byte { return append([]byte{0x84}, binary.BigEndian.AppendUint32(nil, uint32(n))...) }
	wrap := func(tag byte, b []byte) []byte { return append(append([]byte{tag}, length(len(b))...), b...) }
	oid := []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")
	sd := func(content []byte) []byte {
		return wrap(0x30, append(append([]byte{}, oid...), wrap(0xa0, wrap(0x30, content))...))
	}
	signers := bytes.Repeat(wrap(0x30, []byte{2, 1, 1}), 200_000)
	certificates := bytes.Repeat(wrap(0x30, []byte{2, 1, 1}), 200_000)
	head := append([]byte{2, 1, 1, 0x31, 0, 0x30, 0x0b}, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"...)
	return map[string][]byte{
		"indefinite":    bytes.Repeat([]byte{0x30, 0x80}, 1_000_000),
		"definite":      append([]byte{0x30, 0x84, 0x3f, 0xff, 0xff, 0xff}, bytes.Repeat([]byte{0x30, 0x84, 0x3f, 0xff, 0xff, 0xff}, 100_000)...),
		"pieces":        append(append([]byte{0x24, 0x80}, bytes.Repeat([]byte{4, 0}, 1_000_000)...), 0, 0),
		"signers":       sd(append(append([]byte{}, head...), wrap(0x31, signers)...)),
		"certificates":  sd(append(append(append([]byte{}, head...), wrap(0xa0, certificates)...), 0x31, 0)),
		"long-oid":      wrap(0x30, wrap(6, bytes.Repeat([]byte{0x81}, 1_000_000))),
		"large-integer": sd(wrap(2, bytes.Repeat([]byte{0x7f}, 2_000_000))),
	}
}

func hostileJWS() map[string][]byte {
	b64 := base64.RawURLEncoding.EncodeToString
	return map[string][]byte{
		"header":     []byte(b64([]byte(`{"alg":"RS256","x":"`+strings.Repeat("x", 4_000_000)+`"}`)) + ".eA.eA"),
		"nested":     []byte(b64([]byte(`{"alg":"RS256","x":`+strings.Repeat("[", 1_000_000)+strings.Repeat("]", 1_000_000)+`}`)) + ".eA.eA"),
		"signatures": []byte(`{"payload":"` + b64([]byte(strings.Repeat("x", 1_000_000))) + `","signatures":[` + strings.TrimSuffix(strings.Repeat(`{"protected":"eyJhbGciOiJSUzI1NiJ9","signature":"eA"},`, 50_000), ",") + `]}`),
		"members":    []byte(`{` + strings.Repeat(`"payload":"eA",`, 200_000) + `"signature":"eA"}`),
	}
}

// hostileBound ends a case that does not end by itself; under the race detector and beside other tests
// everything takes many times longer. JITSUIN_STRICT=1 holds the cases to what is promised, on a quiet
// machine and without the detector: one second, and 64 MiB beside the program itself and the file.
const (
	hostileBound  = 60 * time.Second
	strictTime    = time.Second
	strictMiB     = 64
	programItself = 24 // MiB of a verification that has nothing to do
)

// measured is the program, and then what it took: the high-water mark of its memory in KiB, on standard
// error. What the system tells a parent includes the parent's own.
func measured() {
	code := program()
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(rest, "kB")
	fmt.Fprintf(os.Stderr, "\nmeasured %s\n", strings.TrimSpace(line))
	os.Exit(code)
}

func TestHostileFilesAreAnswered(t *testing.T) {
	strict := os.Getenv("JITSUIN_STRICT") != ""
	dir := t.TempDir()
	self := filepath.Join(dir, "measured")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, self); err != nil {
		t.Fatal(err)
	}
	for name, b := range hostile() {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(path)
			ctx, end := context.WithTimeout(t.Context(), hostileBound)
			defer end()
			cmd := exec.CommandContext(ctx, self, "verify", path, "--anchors", "none")
			cmd.Dir = dir
			var out, diagnostics bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &diagnostics
			begin := time.Now()
			err := cmd.Run()
			took, code := time.Since(begin), cmd.ProcessState.ExitCode()
			if code != 1 && code != 3 && code != 4 {
				t.Fatalf("%d bytes: exit code %d after %v, wanted a refusal (%v): %.500s %.500s", len(b), code, took, err, out.String(), diagnostics.String())
			}
			_, after, _ := strings.Cut(diagnostics.String(), "\nmeasured ")
			memory, _ := strconv.Atoi(strings.TrimSpace(after))
			memory = memory>>10 - programItself - len(b)>>20
			t.Logf("%d bytes: exit code %d, %v, %d MiB", len(b), code, took, memory)
			if strict && (took > strictTime || memory > strictMiB) {
				t.Errorf("promised are %v and %d MiB", strictTime, strictMiB)
			}
		})
	}
}
