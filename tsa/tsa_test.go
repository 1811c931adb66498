package tsa

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/cert"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/signature/cms"
	"github.com/jitsuin/jitsuin/signature/tsp"
)

// TestTheStory stamps, and asks openssl and our own path what they think of it; on each database.
func TestTheStory(t *testing.T) {
	for _, backend := range storetest.Backends(t) {
		t.Run(backend.Name, func(t *testing.T) {
			database := ""
			if backend.Name == "postgres" {
				database = backend.Fresh(t)
			}
			w := newWorld(t, database)
			a, stop := w.start()
			before := a.Clock.Now()
			token := w.mustStamp()
			if at := token.Info.Time; at.Before(before.Truncate(time.Millisecond)) || at.After(a.Clock.Now()) {
				t.Errorf("the token states %s, asked at %s", at, before)
			}
			if token.Info.Accuracy == nil || time.Duration(*token.Info.Accuracy) != time.Second || token.Info.Policy.String() != sandboxPolicy || token.Info.Ordering {
				t.Errorf("%+v", token.Info)
			}
			status, der := w.get("/certificates/root.cer")
			root, err := x509.ParseCertificate(der)
			if status != 200 || err != nil {
				t.Fatal(status, err)
			}
			unit := token.VerifyBytes(document, nil).Certificate
			if _, err := cert.ValidatePath(t.Context(), unit, cert.PathOptions{Anchors: []*x509.Certificate{root}, At: token.Info.Time}); err != nil {
				t.Fatal(err)
			}
			for _, c := range []*x509.Certificate{root, unit} {
				if name := c.Subject.String(); !strings.Contains(name, "SANDBOX") || !strings.Contains(name, "O=JPKI-TEST") {
					t.Errorf("the name could be taken for a real one: %s", name)
				}
			}
			if status, der := w.get("/certificates/unit.cer"); status != 200 || string(der) != string(unit.Raw) {
				t.Errorf("unit.cer: %d", status)
			}
			if status, _ := w.get("/certificates/other.cer"); status != 404 {
				t.Errorf("other.cer: %d", status)
			}
			opensslVerifies(t, root, token)

			second := w.mustStamp()
			stop()
			w.start()
			third := w.mustStamp() // after a restart
			numbers := map[string]bool{}
			for _, one := range []*tsp.Token{token, second, third} {
				numbers[one.Info.Serial.String()] = true
				if !unit.Equal(one.VerifyBytes(document, nil).Certificate) {
					t.Error("a restart made another unit")
				}
			}
			if len(numbers) != 3 {
				t.Errorf("%d numbers for three tokens", len(numbers))
			}
		})
	}
}

func opensslVerifies(t *testing.T, root *x509.Certificate, token *tsp.Token) {
	t.Helper()
	anchors := write(t, "root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}))
	file, content := write(t, "token", token.DER), write(t, "content", document)
	if out, err := openssl(t, "ts", "-verify", "-in", file, "-token_in", "-data", content, "-CAfile", anchors); err != nil {
		t.Errorf("openssl: %s", out)
	}
	if out, err := openssl(t, "ts", "-verify", "-in", file, "-token_in", "-data", file, "-CAfile", anchors); err == nil {
		t.Errorf("openssl accepts another content, so it judges nothing: %s", out)
	}
}

// Every number stands in the account before its token leaves, whatever happens to the commit; nothing
// leaves where that is not known.
func TestNoTokenLeavesUnaccountedFor(t *testing.T) {
	w := newWorld(t, "")
	var fault store.Fault
	w.config.Store = []store.Option{store.WithFaults(func() store.Fault { return fault })}
	a, _ := w.start()
	count := func() (n int) {
		t.Helper()
		if err := a.DB.View(t.Context(), func(tx *store.Tx) error { return tx.QueryRow(`SELECT COUNT(*) FROM stamp`).Scan(&n) }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	token := w.mustStamp()
	var digest string
	if err := a.DB.View(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(`SELECT digest FROM stamp WHERE serial = $1`, token.Info.Serial.Text(16)).Scan(&digest)
	}); err != nil || digest == "" {
		t.Fatalf("the number is not in the account: %v", err)
	}
	for _, c := range []struct {
		fault store.Fault
		more  int
	}{{store.CommitLost, 0}, {store.CommitPersisted, 1}} {
		before := count()
		fault = c.fault
		_, err := w.stamp()
		fault = store.NoFault
		if failure(err) != "systemFailure" || count() != before+c.more {
			t.Errorf("with the fault %d: %v, %d numbers more", c.fault, err, count()-before)
		}
	}
	w.mustStamp()
}

// zeros gives the same numbers again and again.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 7
	}
	return len(b), nil
}

func TestANumberIsNeverGivenTwice(t *testing.T) {
	w := newWorld(t, "")
	w.config.Rand = zeros{}
	_, stop := w.start()
	w.mustStamp()
	if _, err := w.stamp(); failure(err) != "systemFailure" {
		t.Errorf("the same number again: %v", err)
	}
	stop()
	w.start()
	if _, err := w.stamp(); failure(err) != "systemFailure" {
		t.Errorf("the same number after a restart: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, "")
	w.start()
	const n = 40
	var mu sync.Mutex
	var all sync.WaitGroup
	numbers := map[string]bool{}
	for range n {
		all.Go(func() {
			token, err := w.stamp()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			numbers[token.Info.Serial.String()] = true
		})
	}
	if all.Wait(); len(numbers) != n {
		t.Errorf("%d numbers", len(numbers))
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	w := newWorld(t, "")
	w.start()
	sum := sha256.Sum256(document)
	sound := func() *tsp.Request {
		q, err := tsp.NewRequest(crypto.SHA256, sum[:], nil)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	weak, _ := cms.HashAlgorithm(crypto.SHA1)
	old := sha1.Sum(document)
	marshal := func(change func(*tsp.Request)) []byte {
		q := sound()
		change(q)
		der, err := q.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for name, c := range map[string]struct {
		query []byte
		want  tsp.Failure
	}{
		"nothing":        {nil, tsp.BadDataFormat},
		"text":           {[]byte("what time is it?"), tsp.BadDataFormat},
		"endless":        {make([]byte, tsp.MaxRequest*4), tsp.BadDataFormat},
		"octets behind":  {append(marshal(func(*tsp.Request) {}), 0), tsp.BadDataFormat},
		"SHA-1":          {marshal(func(q *tsp.Request) { q.Imprint = tsp.Imprint{Hash: crypto.SHA1, Algorithm: weak, Sum: old[:]} }), tsp.BadAlg},
		"another policy": {marshal(func(q *tsp.Request) { q.Policy = []int{2, 999, 7} }), tsp.UnacceptedPolicy},
		"an extension":   {marshal(func(q *tsp.Request) { q.Extensions = []tsp.Extension{{ID: []int{2, 999, 7}}} }), tsp.UnacceptedExtension},
	} {
		status, body := w.post(tsp.QueryType, c.query)
		r, err := tsp.ParseResponse(body)
		if status != 200 || err != nil || r.Status != tsp.Rejection || len(r.Failures) != 1 || r.Failures[0] != c.want || len(r.Texts) == 0 {
			t.Errorf("%s: %d %+v %v", name, status, r, err)
		}
	}
	if status, _ := w.post("text/plain", marshal(func(*tsp.Request) {})); status != 400 {
		t.Errorf("another media type: %d", status)
	}
	if status, _ := w.get("/"); status != 405 && status != 404 {
		t.Errorf("GET: %d", status)
	}
	bare := sound()
	bare.CertReq = false
	r, err := (&tsp.Client{URL: w.url}).Ask(t.Context(), bare)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Answer(bare); err != nil {
		t.Errorf("without certificates: %v", err)
	}
}

// The unit is followed by the next while its certificate still holds for years; old tokens stay good.
func TestTheNextUnit(t *testing.T) {
	w := newWorld(t, "")
	a, stop := w.start()
	first := w.mustStamp()
	unitOf := func(token *tsp.Token) *x509.Certificate { return token.VerifyBytes(document, nil).Certificate }
	due, ok := a.house.renewal()
	if !ok {
		t.Fatal("the first unit has no successor")
	}
	a.Clock.Set(time.Until(due) + 24*time.Hour)
	waitUntil(t, func() bool { return !a.issuer.Load().Certificate.Equal(unitOf(first)) })
	second := w.mustStamp()
	if unitOf(second).Equal(unitOf(first)) || unitOf(second).Subject.CommonName != unitName+"2" {
		t.Fatalf("after its time the unit is %s", unitOf(second).Subject)
	}
	root := a.house.root
	for _, token := range []*tsp.Token{first, second} {
		if _, err := cert.ValidatePath(t.Context(), unitOf(token), cert.PathOptions{Anchors: []*x509.Certificate{root}, At: a.Clock.Now()}); err != nil {
			t.Error(err)
		}
	}
	if status, _ := w.get("/certificates/unit-2.cer"); status != 200 {
		t.Errorf("unit-2.cer: %d", status)
	}
	stop()
	again, err := openHouse(w.config.Folder(), "correct horse", time.Now())
	if err != nil || again.number != 2 || !again.unit.Equal(unitOf(second)) {
		t.Errorf("opened again the unit is %d: %v", again.number, err)
	}
}

func waitUntil(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come")
		}
	}
}

func TestKeysAndCertificatesAreAPair(t *testing.T) {
	now := time.Now()
	dir := t.TempDir()
	h, err := openHouse(dir, "correct horse", now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openHouse(dir, "wrong horse", now); jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("another passphrase: %v", err)
	}
	other, err := openHouse(t.TempDir(), "correct horse", now)
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(dir, "unit-1.cer")
	if err := os.WriteFile(unit, other.unit.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openHouse(dir, "correct horse", now); jitsuin.CodeOf(err) != "tsa-certificate" {
		t.Errorf("another authority's certificate: %v", err)
	}
	// A crash between key and certificate: the certificate is made at the next start.
	if err := os.Remove(unit); err != nil {
		t.Fatal(err)
	}
	again, err := openHouse(dir, "correct horse", now)
	if err != nil || !again.unit.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(h.unit.PublicKey) {
		t.Errorf("the certificate is made anew for the same key: %v", err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, keysFile))
	if err != nil || strings.Contains(string(raw), "PRIVATE KEY") {
		t.Errorf("the keys lie open: %v", err)
	}
}

func TestAPolicyIsAnObjectIdentifier(t *testing.T) {
	for text, ok := range map[string]bool{"": true, "2.999.1": true, "1.2.x": false, "9.1": false, "1": false, "1.-2": false} {
		if _, err := (&Config{Policy: text}).policy(); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
