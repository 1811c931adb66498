package paper

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"io"
	"strconv"

	"github.com/jitsuin/jitsuin"
)

// EmbeddedMark is how the attached file begins.
const EmbeddedMark = "<< /Type /EmbeddedFile /Subtype /application#2Fjson "

// The parts of the file that the drawing library writes in a known form.
var (
	catalogMark = []byte("/Type /Catalog\n")
	trailerMark = []byte("trailer\n<<\n")
	streamMark  = []byte("stream\n")
)

// attach writes a drawn document anew, as one revision, with its data as its one attachment
// (ISO 32000-2 §7.11.4, associated file with relationship Data §14.13), and with every stream as it is,
// uncompressed: the bytes then do not depend on a compressor.
func attach(drawn []byte, d Document) ([]byte, error) {
	objects, info, err := split(drawn)
	if err != nil {
		return nil, err
	}
	file, spec := len(objects)+1, len(objects)+2
	stamp := fmt.Sprintf("(D:%04d%02d%02d000000+09'00')", d.Date.Year, d.Date.Month, d.Date.Day)
	catalog := fmt.Sprintf("<<\n  /Type /Catalog\n  /Pages 2 0 R\n  /Lang (%s)\n  /ViewerPreferences << /DisplayDocTitle true >>\n"+
		"  /Names << /EmbeddedFiles << /Names [(%s) %d 0 R] >> >>\n  /AF [%d 0 R]\n>>\n", d.Language, d.Attachment, spec, spec)
	var embedded bytes.Buffer
	fmt.Fprintf(&embedded, "%s/Length %d /Params << /Size %d /ModDate %s >> >>\nstream\n", EmbeddedMark, len(d.Data), len(d.Data), stamp)
	embedded.Write(d.Data)
	embedded.WriteString("\nendstream\n")
	specification := fmt.Sprintf("<< /Type /Filespec /F (%s) /UF (%s) /AFRelationship /Data /EF << /F %d 0 R /UF %d 0 R >> >>\n", d.Attachment, d.Attachment, file, file)
	objects[0] = []byte(catalog)
	objects = append(objects, embedded.Bytes(), []byte(specification))
	return assemble(objects, info), nil
}

// split gives the objects of a drawn document in their order, without "N 0 obj" and "endobj", and the
// trailer's Info dictionary.
func split(drawn []byte) (objects [][]byte, info []byte, err error) {
	odd := func(what string) ([][]byte, []byte, error) {
		return nil, nil, jitsuin.Errorf(jitsuin.Internal, "paper-drawing", "the drawing library wrote another file than expected: %s", what)
	}
	table, trailer := bytes.LastIndex(drawn, []byte("\nxref\n")), bytes.LastIndex(drawn, trailerMark)
	if table < 0 || trailer < table {
		return odd("no table")
	}
	var offsets []int
	for _, line := range bytes.Split(drawn[table+1:trailer], []byte("\n"))[3:] {
		if len(line) < 10 {
			break
		}
		n, err := strconv.Atoi(string(line[:10]))
		if err != nil || n > table {
			return odd("an offset")
		}
		offsets = append(offsets, n)
	}
	for i, at := range offsets {
		end := table
		if i+1 < len(offsets) {
			end = offsets[i+1]
		}
		if at > end {
			return odd("the order of objects")
		}
		body, ok := bytes.CutPrefix(drawn[at:end], []byte(fmt.Sprintf("%d 0 obj\n", i+1)))
		body, ok2 := bytes.CutSuffix(bytes.TrimRight(body, "\n"), []byte("endobj"))
		if !ok || !ok2 {
			return odd("object " + strconv.Itoa(i+1))
		}
		if body, err = plain(body); err != nil {
			return nil, nil, err
		}
		objects = append(objects, body)
	}
	from := bytes.Index(drawn[trailer:], []byte("/Info <<\n"))
	to := bytes.LastIndex(drawn, []byte(">>\nstartxref"))
	if from < 0 || to < trailer+from || len(objects) == 0 || !bytes.Contains(objects[0], catalogMark) {
		return odd("the trailer")
	}
	return objects, drawn[trailer+from : to], nil
}

// plain gives an object with its stream uncompressed. The library always compresses the font.
func plain(object []byte) ([]byte, error) {
	head, packed, ok := bytes.Cut(object, []byte("/Filter /FlateDecode\n"))
	if !ok {
		return object, nil
	}
	rest, packed, _ := bytes.Cut(packed, streamMark)
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("font of the document: %w", err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("font of the document: %w", err)
	}
	_, tail, _ := bytes.Cut(head, []byte("\n")) // after "<</Length N "
	var out bytes.Buffer
	fmt.Fprintf(&out, "<</Length %d\n%s%sstream\n", len(content), tail, rest)
	out.Write(content)
	out.WriteString("\nendstream\n")
	return out.Bytes(), nil
}

// assemble writes a whole file from its objects. The file's identifier follows from its content.
func assemble(objects [][]byte, info []byte) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%sendobj\n\n", i+1, o)
	}
	id := sha256.Sum256(b.Bytes())
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<<\n/Size %d\n/Root 1 0 R\n/ID [<%x> <%x>]\n%s>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, id[:16], id[:16], info, table)
	return b.Bytes()
}

// Attached finds the data, of at most max bytes, where Draw puts them. What is found is only a claim
// until the whole file was made from it again.
func Attached(pdf []byte, max int) ([]byte, bool) {
	at := bytes.LastIndex(pdf, []byte(EmbeddedMark))
	if at < 0 {
		return nil, false
	}
	rest, ok := bytes.CutPrefix(pdf[at+len(EmbeddedMark):], []byte("/Length "))
	digits, rest, ok2 := bytes.Cut(rest, []byte(" "))
	n, err := strconv.Atoi(string(digits[:min(len(digits), 8)]))
	if !ok || !ok2 || err != nil || n < 0 || n > max {
		return nil, false
	}
	_, rest, ok = bytes.Cut(rest, streamMark)
	if !ok || len(rest) < n {
		return nil, false
	}
	return rest[:n], true
}
