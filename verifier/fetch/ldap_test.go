package fetch_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/verifier/fetch"
)

// directory is a small LDAP server (RFC 4511): it answers searches from its entries by the end of their name, and
// knows no paging, as small servers do.
type directory struct {
	t       testing.TB
	address string

	mu       sync.Mutex
	entries  map[string][][]byte // by DN: values of certificateRevocationList;binary
	searches []string            // base and scope of each
	wild     func(net.Conn)      // answers in the server's place
}

func newDirectory(t testing.TB) *directory {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &directory{t: t, address: l.Addr().String(), entries: map[string][][]byte{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { defer c.Close(); d.serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return d
}

func (d *directory) serve(c net.Conn) {
	c.SetDeadline(time.Now().Add(20 * time.Second))
	for {
		p, err := ber.ReadPacket(c)
		if err != nil || len(p.Children) < 2 {
			return
		}
		id, op := p.Children[0].Value.(int64), p.Children[1]
		if op.Tag != ldap.ApplicationSearchRequest {
			return // unbind, and whatever else nobody should ask here
		}
		d.mu.Lock()
		wild := d.wild
		base, scope := op.Children[0].Value.(string), op.Children[1].Value.(int64)
		d.searches = append(d.searches, fmt.Sprintf("%s %d", base, scope))
		var out bytes.Buffer
		for dn, values := range d.entries {
			if dn == base || scope == ldap.ScopeWholeSubtree && strings.HasSuffix(dn, ","+base) {
				out.Write(message(id, entry(dn, values)).Bytes())
			}
		}
		d.mu.Unlock()
		if wild != nil {
			wild(c)
			return
		}
		code := int64(ldap.LDAPResultSuccess)
		if out.Len() == 0 {
			code = ldap.LDAPResultNoSuchObject
		}
		out.Write(message(id, done(code)).Bytes())
		if _, err := c.Write(out.Bytes()); err != nil {
			return
		}
	}
}

func message(id int64, op *ber.Packet) *ber.Packet {
	m := ber.NewSequence("LDAPMessage")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	m.AppendChild(op)
	return m
}

func entry(dn string, values [][]byte) *ber.Packet {
	e := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	e.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, dn, ""))
	all, one, set := ber.NewSequence(""), ber.NewSequence(""), ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
	one.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "certificateRevocationList;binary", ""))
	for _, v := range values {
		set.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(v), ""))
	}
	one.AppendChild(set)
	all.AppendChild(one)
	e.AppendChild(all)
	return e
}

func done(code int64) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultDone, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	for range 2 {
		p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	}
	return p
}

func TestListsComeByLDAP(t *testing.T) {
	const top = "OU=CRL Distribution Points,OU=JPKI for digital signature,O=JPKI-TEST,C=JP"
	s, d := newSite(t), newDirectory(t)
	for i, town := range []string{"Asagiri-shi", "Yuunagi-machi", "Mihon-shi"} {
		point := cert.Sandbox().DistributionPoint(jitsuin.SignCert, cert.Place{Prefecture: "Kasumi-ken", Municipality: town})
		d.entries["CN="+town+" CRLDP,OU=Kasumi-ken,"+top] = [][]byte{s.list(s.ca, time.Duration(i)*time.Hour, point)}
	}
	one := "ldap://" + d.address + "/CN=Asagiri-shi%20CRLDP,OU=Kasumi-ken,OU=CRL%20Distribution%20Points,OU=JPKI%20for%20digital%20signature,O=JPKI-TEST,C=JP"
	if st := s.ask(one, ""); st.Lists != 1 || st.New != 1 {
		t.Errorf("%+v", st)
	}
	all := "ldap://" + d.address + "/OU=CRL%20Distribution%20Points,OU=JPKI%20for%20digital%20signature,O=JPKI-TEST,C=JP?certificateRevocationList;binary?sub"
	if st := s.ask(all, ""); st.Lists != 3 || st.New != 2 || len(s.Folder.Lists()) != 3 {
		t.Errorf("%+v", st)
	}
	if want := []string{"CN=Asagiri-shi CRLDP,OU=Kasumi-ken," + top + " 0", top + " 2"}; !slices.Equal(d.searches, want) {
		t.Errorf("asked %q", d.searches)
	}
	// one bad list among good ones is said, and the good ones are taken
	stranger := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 9)
	s.pass(time.Hour)
	d.mu.Lock()
	d.entries["CN=Asagiri-shi CRLDP,OU=Kasumi-ken,"+top] = [][]byte{s.list(stranger, 0, nil), s.list(s.ca, 0, cert.Sandbox().DistributionPoint(jitsuin.SignCert, certtest.Town))}
	d.mu.Unlock()
	if st := s.ask(all, "another key"); st.Lists != 4 || st.New != 1 {
		t.Errorf("%+v", st)
	}
	s.ask("ldap://"+d.address+"/O=Nobody,C=JP", "no entry")
	s.ask("ldap://127.0.0.1:1/O=Nobody,C=JP", "refused")
}

func TestWhatADirectoryMayAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		wrong string
		wild  func(net.Conn)
	}{
		"nothing":        {"EOF", func(net.Conn) {}},
		"noise":          {"", func(c net.Conn) { c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }},
		"without an end": {"", func(c net.Conn) { c.Write(message(1, entry("O=B", nil)).Bytes()); io.Copy(io.Discard, c) }},
		"two gigabytes": {"", func(c net.Conn) {
			c.Write([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x04, 0x84, 0x7f, 0xff, 0xff, 0xf0})
			io.Copy(io.Discard, c)
		}},
		"more than it may": {"larger", func(c net.Conn) {
			c.Write(message(1, entry("O=B", [][]byte{make([]byte, 3<<20)})).Bytes())
			io.Copy(io.Discard, c)
		}},
		"deeper than anyone": {"", func(c net.Conn) { c.Write(bytes.Repeat([]byte{0x30, 0x80}, 1<<20)); io.Copy(io.Discard, c) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, d := newSite(t), newDirectory(t)
			s.MaxAll = 1 << 20
			d.wild = c.wild
			began := time.Now()
			st := s.Fetch(t.Context(), fetch.Source{Name: "a", URL: "ldap://" + d.address + "/O=B,C=JP", Timeout: 4 * time.Second})
			if st.LastError == "" || !strings.Contains(st.LastError, c.wrong) || len(s.files()) != 0 {
				t.Errorf("%q, want %q", st.LastError, c.wrong)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}
