package status_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/cert/certtest"
	"github.com/jitsuin/jitsuin/status"
)

// drop is a folder of lists with the authority that makes them, under a clock of the test.
type drop struct {
	*status.Folder
	t   testing.TB
	ca  *certtest.Authority
	now time.Time
}

func newDrop(t testing.TB, more ...*certtest.Authority) *drop {
	t.Helper()
	d := &drop{t: t, ca: certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 1), now: certtest.Now}
	d.Folder = &status.Folder{Path: t.TempDir(), Anchors: []*x509.Certificate{d.ca.Cert}, Clock: func() time.Time { return d.now }, History: 48 * time.Hour}
	for _, a := range more {
		d.Anchors = append(d.Anchors, a.Cert)
	}
	return d
}

// listOf makes a list that holds for a day, with the serials that are revoked, an hour before it was made.
func listOf(t testing.TB, ca *certtest.Authority, made time.Time, point []byte, reason jitsuin.RevocationReason, serials ...int64) []byte {
	t.Helper()
	tmpl := cert.CRLTemplate{Issuer: ca.Cert, Number: uint64(made.Unix()), ThisUpdate: made, NextUpdate: made.Add(24 * time.Hour), DistributionPoint: point}
	der, err := tmpl.Build(context.Background(), func(yield func(cert.CRLEntry) bool) {
		for _, n := range serials {
			if !yield(cert.CRLEntry{Serial: big.NewInt(n).Bytes(), RevokedAt: made.Add(-time.Hour), Reason: reason}) {
				return
			}
		}
	}, ca.Sign)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (d *drop) put(name string, content []byte) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.Path, name), content, 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.reload()
}

func (d *drop) reload() {
	d.t.Helper()
	if err := d.Reload(); err != nil {
		d.t.Fatal(err)
	}
}

func (d *drop) list(serials ...int64) []byte {
	return listOf(d.t, d.ca, d.now.Add(-time.Minute), nil, jitsuin.ReasonAffiliationChanged, serials...)
}

func (d *drop) resident(n int64) *x509.Certificate {
	return d.ca.Issue(d.t, d.ca.Resident(d.t, big.NewInt(n)))
}

// problem fails unless exactly one file has a problem, with these words.
func (d *drop) problem(file, words string) {
	d.t.Helper()
	if all := d.Problems(); len(all) != 1 || all[0].File != file || !strings.Contains(all[0].Why, words) {
		d.t.Errorf("problems %+v, want %q in %s", all, words, file)
	}
}

func TestAFolderAnswers(t *testing.T) {
	d := newDrop(t)
	good, dead := d.resident(1), d.resident(2)
	ask(t, d.Read(0), good, d.ca.Cert, d.now, cert.Unknown)
	d.reload()
	ask(t, d.Read(0), good, d.ca.Cert, d.now, cert.Unknown)
	list := d.list(2)
	d.put("sign.crl", list)
	ask(t, d.Read(0), good, d.ca.Cert, d.now, cert.Good)
	st := ask(t, d.Read(0), dead, d.ca.Cert, d.now, cert.Revoked)
	if st.Reason != jitsuin.ReasonAffiliationChanged || st.Overdue {
		t.Errorf("%+v", st)
	}
	if lists := d.Lists(); len(lists) != 1 || lists[0].File != "sign.crl" || lists[0].Entries != 1 || !lists[0].Newest || lists[0].Ended || lists[0].Partition != "" {
		t.Errorf("%+v", lists)
	}
	d.put("same.pem", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list}))
	if len(d.Problems()) != 0 || len(d.Lists()) != 1 {
		t.Errorf("a list that is there twice: %+v %+v", d.Lists(), d.Problems())
	}
	for _, name := range []string{".crl-half-1", "readme.txt"} {
		d.put(name, []byte("not a list"))
	}
	if len(d.Problems()) != 0 {
		t.Errorf("files that are nobody's concern: %+v", d.Problems())
	}
	// an answer is that of the moment in which the reading began, whatever comes meanwhile
	before := d.Read(0)
	d.now = d.now.Add(time.Hour)
	d.put("later.crl", d.list(1, 2))
	ask(t, before, good, d.ca.Cert, certtest.Now, cert.Good)
	ask(t, d.Read(0), good, d.ca.Cert, d.now, cert.Revoked)
	ask(t, d.Read(0), good, d.ca.Cert, d.now.Add(-3*time.Hour), cert.Good) // it was not yet revoked
	if d.Folder.Path = filepath.Join(d.Path, "none"); d.Reload() == nil {
		t.Error("a folder that is not there was read")
	}
	ask(t, d.Read(0), dead, d.ca.Cert, d.now, cert.Revoked) // and what was known stays known
}

// What lies in the folder and must not be believed. None of it is fatal, and the good list beside it goes on answering.
func TestWhatAFolderDoesNotBelieve(t *testing.T) {
	stranger := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 9) // the same name, another key
	auth := certtest.NewAuthority(t, jitsuin.AuthCert, cert.P384SHA384, 5)
	d := newDrop(t)
	whole := d.list()
	flipped := slices.Clone(whole)
	flipped[len(flipped)-5] ^= 1
	for _, c := range []struct {
		name, words string
		content     []byte
	}{
		{"half", "DER", whole[:len(whole)/2]},
		{"empty", "DER", nil},
		{"all but the last octet", "DER", whole[:len(whole)-1]},
		{"something after it", "DER", append(slices.Clone(whole), 0)},
		{"half of PEM", "DER", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: whole})[:200]},
		{"a certificate", "algorithms", d.ca.Cert.Raw},
		{"one bit of the signature", "signature", flipped},
		{"another key of the name", "another key", listOf(t, stranger, d.now, nil, "")},
		{"another authority", "no authority of the name", listOf(t, auth, d.now, nil, "")},
		{"from tomorrow", "later than now", listOf(t, d.ca, d.now.Add(time.Hour), nil, "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &drop{Folder: &status.Folder{Path: t.TempDir(), Anchors: d.Anchors, Clock: d.Clock}, t: t, ca: d.ca, now: d.now}
			leaf := d.resident(1)
			d.put("x.crl", c.content)
			d.problem("x.crl", c.words)
			ask(t, d.Read(time.Hour), leaf, d.ca.Cert, d.now, cert.Unknown)
			d.put("good.crl", whole)
			d.problem("x.crl", c.words)
			ask(t, d.Read(0), leaf, d.ca.Cert, d.now, cert.Good)
			d.put("x.crl", whole) // the rest of it came
			if all := d.Problems(); len(all) != 0 {
				t.Errorf("%+v", all)
			}
			if _, err := d.Examine(c.content); jitsuin.KindOf(err) != jitsuin.Invalid {
				t.Errorf("examined: %v", err)
			}
		})
	}
}

func TestANewerListIsNotReplacedByAnOlderOne(t *testing.T) {
	d := newDrop(t)
	leaf := d.resident(1)
	yesterday := listOf(t, d.ca, d.now.Add(-23*time.Hour), nil, "")
	d.put("sign.crl", d.list(1))
	ask(t, d.Read(0), leaf, d.ca.Cert, d.now, cert.Revoked)
	d.put("sign.crl", yesterday) // still in its time, and does not know the revocation
	d.problem("sign.crl", "older")
	ask(t, d.Read(0), leaf, d.ca.Cert, d.now, cert.Revoked)
	if err := os.Remove(filepath.Join(d.Path, "sign.crl")); err != nil {
		t.Fatal(err)
	}
	d.reload()
	ask(t, d.Read(0), leaf, d.ca.Cert, d.now, cert.Revoked)
	if lists := d.Lists(); len(lists) != 1 || lists[0].File != "" || !lists[0].Newest {
		t.Errorf("%+v", lists)
	}
	// a suspension is lifted by a newer list only
	d.now = d.now.Add(time.Hour)
	d.put("hold.crl", listOf(t, d.ca, d.now, nil, jitsuin.ReasonCertificateHold, 7))
	held := d.resident(7)
	ask(t, d.Read(0), held, d.ca.Cert, d.now, cert.Revoked)
	d.now = d.now.Add(time.Hour)
	d.put("lifted.crl", listOf(t, d.ca, d.now, nil, ""))
	ask(t, d.Read(0), held, d.ca.Cert, d.now, cert.Good)
}

func TestOfEquallyNewListsTheOneThatSuspendsDecides(t *testing.T) {
	for _, names := range [][2]string{{"a.crl", "b.crl"}, {"b.crl", "a.crl"}} {
		d := newDrop(t)
		held, made := d.resident(7), d.now.Add(-time.Minute)
		d.put(names[0], listOf(t, d.ca, made, nil, jitsuin.ReasonCertificateHold, 7))
		d.put(names[1], listOf(t, d.ca, made, nil, ""))
		ask(t, d.Read(0), held, d.ca.Cert, d.now, cert.Revoked)
		d.now = d.now.Add(30 * time.Hour)
		d.reload()
		ask(t, d.Read(12*time.Hour), held, d.ca.Cert, d.now, cert.Revoked)
	}
}

func TestOldListsStayAsLongAsSomebodyMayAsk(t *testing.T) {
	d := newDrop(t)
	tmpl := d.ca.Resident(t, big.NewInt(3))
	tmpl.LastDay = jitsuin.DateOf(d.now)
	leaf := d.ca.Issue(t, tmpl)
	d.put("1.crl", d.list())
	d.now = d.now.Add(40 * time.Hour) // the certificate has expired, lists may have dropped it
	d.put("2.crl", d.list())
	ask(t, d.Read(0), leaf, d.ca.Cert, certtest.Now.Add(time.Hour), cert.Good)
	d.now = d.now.Add(48 * time.Hour)
	d.put("3.crl", d.list())
	if lists := d.Lists(); len(lists) != 2 || lists[0].File != "3.crl" || lists[1].File != "2.crl" {
		t.Errorf("%+v", lists)
	}
	ask(t, d.Read(0), leaf, d.ca.Cert, certtest.Now.Add(time.Hour), cert.Unknown)
	if len(d.Problems()) != 0 {
		t.Errorf("%+v", d.Problems())
	}
}

func TestYesterdaysListIsGoodOnlyUnderAGrace(t *testing.T) {
	d := newDrop(t)
	good, dead, held := d.resident(1), d.resident(2), d.resident(3)
	d.put("sign.crl", d.list(2))
	d.now = d.now.Add(30 * time.Hour) // it ended six hours ago
	read := d.Read(0)
	st := ask(t, read, good, d.ca.Cert, d.now, cert.Unknown)
	if !st.Stale || !strings.Contains(st.Why, "is of 2026-05-31T23:59:00Z and has ended at 2026-06-01T23:59:00Z") {
		t.Errorf("%+v", st)
	}
	if e := read.Ended(); len(e) != 1 || e[0].Used || e[0].File != "sign.crl" {
		t.Errorf("%+v", e)
	}
	ask(t, d.Read(0), dead, d.ca.Cert, d.now, cert.Revoked) // for good is for good
	ask(t, d.Read(5*time.Hour), good, d.ca.Cert, d.now, cert.Unknown)

	read = d.Read(7 * time.Hour)
	if st := ask(t, read, good, d.ca.Cert, d.now, cert.Good); !st.Overdue || cert.JudgeAt(st, d.now).State != cert.Good || !strings.Contains(st.Why, "nothing is known") {
		t.Errorf("%+v", st)
	}
	if e := read.Ended(); len(e) != 1 || !e[0].Used {
		t.Errorf("%+v", e)
	}
	ask(t, read, dead, d.ca.Cert, d.now, cert.Revoked)
	if e := read.Ended(); len(e) != 1 {
		t.Errorf("noted twice: %+v", e)
	}
	ask(t, read, good, d.ca.Cert, d.now.Add(time.Hour+time.Minute), cert.Unknown) // nobody knows tomorrow
	if st := ask(t, read, good, d.ca.Cert, certtest.Now, cert.Good); st.Overdue {
		t.Errorf("the list was in its time then: %+v", st)
	}
	// a fresh list is preferred, and what it says of a suspension counts
	d.put("fresh.crl", listOf(t, d.ca, d.now, nil, jitsuin.ReasonCertificateHold, 3))
	read = d.Read(7 * time.Hour)
	ask(t, read, held, d.ca.Cert, d.now, cert.Revoked)
	if st := ask(t, read, good, d.ca.Cert, d.now, cert.Good); st.Overdue || len(read.Ended()) != 0 {
		t.Errorf("%+v %+v", st, read.Ended())
	}
	// of the ended lists the newest answers
	d.now = d.now.Add(30 * time.Hour)
	d.reload()
	ask(t, d.Read(60*time.Hour), held, d.ca.Cert, d.now, cert.Revoked)
}

// The lists of one generation's key decide for its certificates: another's, which does not know of them, is not asked
// while there are any, in their time or not.
func TestTwoGenerationsOfOneName(t *testing.T) {
	next := certtest.NewAuthority(t, jitsuin.SignCert, cert.P384SHA384, 2)
	d := newDrop(t, next)
	old := d.resident(1)
	d.put("next.crl", listOf(t, next, d.now, nil, ""))
	ask(t, d.Read(0), old, d.ca.Cert, d.now, cert.Good) // it speaks for the name, and there is no other
	d.put("own.crl", d.list(1))
	ask(t, d.Read(0), old, d.ca.Cert, d.now, cert.Revoked)
	ask(t, d.Read(0), next.Issue(t, next.Resident(t, big.NewInt(1))), next.Cert, d.now, cert.Good)
	d.now = d.now.Add(25 * time.Hour)
	d.put("next2.crl", listOf(t, next, d.now, nil, ""))
	ask(t, d.Read(0), d.resident(8), d.ca.Cert, d.now, cert.Unknown)

	// who is no anchor speaks for the certificates of its own key alone
	e := newDrop(t)
	e.Intermediates = []*x509.Certificate{next.Cert}
	e.put("next.crl", listOf(t, next, e.now, nil, ""))
	ask(t, e.Read(0), e.resident(1), e.ca.Cert, e.now, cert.Unknown)
	ask(t, e.Read(0), next.Issue(t, next.Resident(t, big.NewInt(1))), next.Cert, e.now, cert.Good)
}

func TestPartitionsAreKeptApart(t *testing.T) {
	d := newDrop(t)
	here := cert.Sandbox().DistributionPoint(jitsuin.SignCert, certtest.Town)
	there := cert.Sandbox().DistributionPoint(jitsuin.SignCert, cert.Place{Prefecture: "Kasumi-ken", Municipality: "Yuunagi-machi"})
	leaf := d.resident(1)
	d.put("there.crl", listOf(t, d.ca, d.now, there, ""))
	ask(t, d.Read(0), leaf, d.ca.Cert, d.now, cert.Unknown)
	d.put("here.crl", listOf(t, d.ca, d.now.Add(-time.Hour), here, jitsuin.ReasonAffiliationChanged, 1))
	ask(t, d.Read(0), leaf, d.ca.Cert, d.now, cert.Revoked)
	lists := d.Lists()
	if len(lists) != 2 || !lists[0].Newest || !lists[1].Newest || !strings.Contains(lists[0].Partition, "CN=Asagiri-shi") || !strings.Contains(lists[1].Partition, "CN=Yuunagi-machi") {
		t.Errorf("%+v", lists)
	}
}

func TestBoundsOfAFolder(t *testing.T) {
	d := newDrop(t)
	leaf := d.resident(1)
	whole := d.list()
	d.MaxFile = int64(len(whole)) - 1
	d.put("x.crl", whole)
	d.problem("x.crl", "may still be read")
	d.MaxFile = 0
	d.MaxTotal = int64(len(whole)) + 10
	d.put("y.crl", listOf(t, d.ca, d.now.Add(-2*time.Minute), nil, ""))
	ask(t, d.Read(0), leaf, d.ca.Cert, d.now, cert.Good)
	d.put("z.crl", listOf(t, d.ca, d.now.Add(-3*time.Minute), nil, ""))
	if all := d.Problems(); len(all) != 2 {
		t.Errorf("there is room for one: %+v", all)
	}
	ask(t, d.Read(0), leaf, d.ca.Cert, d.now, cert.Good)
}

func TestAFolderIsReadWhileItChanges(t *testing.T) {
	d := newDrop(t)
	leaf := d.resident(1)
	d.put("0.crl", d.list())
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 20 {
				der := listOf(t, d.ca, d.now.Add(-time.Duration(j)*time.Minute), nil, "")
				if err := os.WriteFile(filepath.Join(d.Path, fmt.Sprintf("%d.crl", i)), der, 0o600); err != nil {
					t.Error(err)
				}
				if err := d.Reload(); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for range 50 {
				if st, err := d.Read(0).Status(t.Context(), leaf, d.ca.Cert, d.now); err != nil || st.State != cert.Good {
					t.Errorf("%+v %v", st, err)
				}
				d.Lists()
				d.Problems()
			}
		})
	}
	all.Wait()
}

// A million entries: about the revoked certificates of a large country's year.
func BenchmarkFolder(b *testing.B) {
	const n = 1_000_000
	d := newDrop(b)
	tmpl := cert.CRLTemplate{Issuer: d.ca.Cert, Number: 1, ThisUpdate: d.now, NextUpdate: d.now.Add(24 * time.Hour)}
	der, err := tmpl.Build(context.Background(), func(yield func(cert.CRLEntry) bool) {
		for i := range int64(n) {
			serial := append(bytes.Repeat([]byte{0x5a}, 8), big.NewInt(1<<40+i).Bytes()...)
			if !yield(cert.CRLEntry{Serial: serial, RevokedAt: d.now, Reason: jitsuin.ReasonAffiliationChanged}) {
				return
			}
		}
	}, d.ca.Sign)
	if err != nil {
		b.Fatal(err)
	}
	d.put("big.crl", der)
	leaf := d.resident(1)
	b.Run("load-a-million", func(b *testing.B) {
		b.SetBytes(int64(len(der)))
		for b.Loop() {
			fresh := &status.Folder{Path: d.Path, Anchors: d.Anchors, Clock: d.Clock}
			if err := fresh.Reload(); err != nil || len(fresh.Lists()) != 1 {
				b.Fatal(err)
			}
		}
	})
	b.Run("look-again", func(b *testing.B) {
		for b.Loop() {
			if err := d.Reload(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ask", func(b *testing.B) {
		for b.Loop() {
			if st, err := d.Read(0).Status(b.Context(), leaf, d.ca.Cert, d.now); err != nil || st.State != cert.Good {
				b.Fatal(st, err)
			}
		}
	})
}

// Two thousand partitions, one of them the certificate's.
func BenchmarkFolderOfPartitions(b *testing.B) {
	d := newDrop(b)
	for i := range 2000 {
		place := cert.Place{Prefecture: "Kasumi-ken", Municipality: fmt.Sprintf("Town %d", i)}
		if i == 1000 {
			place = certtest.Town
		}
		der := listOf(b, d.ca, d.now, cert.Sandbox().DistributionPoint(jitsuin.SignCert, place), "")
		if err := os.WriteFile(filepath.Join(d.Path, fmt.Sprintf("%d.crl", i)), der, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	d.reload()
	leaf := d.resident(1)
	b.Run("look-again", func(b *testing.B) {
		for b.Loop() {
			if err := d.Reload(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ask", func(b *testing.B) {
		for b.Loop() {
			if st, err := d.Read(0).Status(b.Context(), leaf, d.ca.Cert, d.now); err != nil || st.State != cert.Good {
				b.Fatal(st, err)
			}
		}
	})
}
