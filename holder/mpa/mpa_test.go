package mpa_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/contents"
	"github.com/jitsuin/jitsuin/card/host"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/holder/holdertest"
	"github.com/jitsuin/jitsuin/holder/mpa"
)

func TestHostileLengthsEndTheHost(t *testing.T) {
	t.Parallel()
	length := func(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }
	for name, in := range map[string][]byte{"nothing in it": length(0), "too long": length(mpa.MaxFrame + 1), "all ones": length(0xFFFFFFFF),
		"a cut length": {1, 0}, "a cut message": append(length(10), "{}"...)} {
		var out bytes.Buffer
		if err := (&mpa.Host{}).Serve(t.Context(), bytes.NewReader(in), &out); jitsuin.CodeOf(err) != "mpa-frame" || out.Len() != 0 {
			t.Errorf("%s: %v, %d bytes of answer", name, err, out.Len())
		}
	}
	if _, err := mpa.ReadFrame(bytes.NewReader(nil)); err != io.EOF {
		t.Errorf("a closed pipe: %v", err)
	}
}

// play sends messages as the extension does, one after the other, and gives the answers.
func play(t *testing.T, h *mpa.Host, messages ...map[string]any) (all []map[string]any) {
	t.Helper()
	var in, out bytes.Buffer
	for _, m := range messages {
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := mpa.WriteFrame(&in, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Serve(t.Context(), &in, &out); err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := mpa.ReadFrame(&out)
		if err == io.EOF {
			return all
		}
		var a map[string]any
		if err == nil {
			err = json.Unmarshal(frame, &a)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
}

func bytesOf(t *testing.T, v any) []byte {
	t.Helper()
	s, _ := v.(string)
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAnExtensionUsesTheCard(t *testing.T) {
	t.Parallel()
	w, data := holdertest.New(t), t.TempDir()
	person := jitsuin.FourItems{Name: "霧島　花子", Address: "雲居県朝霧野市貝寄町４丁目", BirthDate: jitsuin.Date{Year: 1980, Month: 2, Day: 17}, Sex: jitsuin.Female}
	c := w.Card(t, data, holdertest.Order{Face: &person})
	anchor := w.FaceAnchor(t)
	h := &mpa.Host{UUID: "a-uuid", Legacy: true, Anchor: func() (contents.Anchor, error) { return anchor, nil },
		Open: func(ctx context.Context) (reader.Channel, error) {
			return host.OpenLocal(ctx, filepath.Join(data, "cards"), c.ID, host.Options{})
		}}
	sum := sha256.Sum256([]byte("a page"))
	info, err := hex.DecodeString("3031300d060960864801650304020105000420")
	if err != nil {
		t.Fatal(err)
	}
	digest := base64.StdEncoding.EncodeToString(append(info, sum[:]...))
	answers := play(t, h, map[string]any{"mode": "01", "service_id": "01", "digest": digest, "pin": holdertest.AuthPIN},
		map[string]any{"mode": "02", "digest": []string{digest, digest}, "pin": strings.ToLower(holdertest.SignPIN)},
		map[string]any{"mode": "04", "pin": holdertest.TextPIN},
		map[string]any{"mode": "01", "service_id": "01", "digest": digest, "pin": "9999"},
		map[string]any{"mode": "01", "service_id": "01", "digest": base64.StdEncoding.EncodeToString(sum[:]), "pin": holdertest.AuthPIN},
		map[string]any{"mode": "03"}, map[string]any{"mode": "05"}, map[string]any{"mode": "04"})
	if len(answers) != 7 || answers[6]["result"] != "0" {
		t.Fatalf("%d answers: %v", len(answers), answers)
	}
	proves := func(signature any, certificate any) {
		t.Helper()
		leaf, err := x509.ParseCertificate(bytesOf(t, certificate))
		if err != nil {
			t.Fatal(err)
		}
		if err := rsa.VerifyPKCS1v15(leaf.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], bytesOf(t, signature)); err != nil {
			t.Error(err)
		}
	}
	proves(answers[0]["signature"], answers[0]["certificate"])
	if code, _ := answers[0]["combination_code"].(string); answers[0]["uuid"] != "a-uuid" || len(code) != 64 {
		t.Errorf("%v", answers[0])
	}
	both, _ := answers[1]["signature"].([]any)
	if len(both) != 2 {
		t.Fatalf("%v", answers[1])
	}
	proves(both[1], answers[1]["certificate"])
	if name, _ := answers[2]["name"].(string); name != hex.EncodeToString([]byte(person.Name)) || answers[2]["birthday"] != hex.EncodeToString([]byte("19800217")) {
		t.Errorf("%v", answers[2])
	}
	for i, code := range map[int]string{3: "pin-wrong", 4: "mpa-digest", 5: "mpa-mode"} {
		if words, _ := answers[i]["message"].(string); answers[i]["result"] != "1" || !strings.HasPrefix(words, code) || strings.Contains(words, "9999") {
			t.Errorf("%d: %v", i, answers[i])
		}
	}
	h.Legacy = false
	if a := play(t, h, map[string]any{"mode": "01", "service_id": "01", "digest": digest, "pin": holdertest.AuthPIN}); a[0]["result"] != "1" {
		t.Errorf("mode 01 where it is off: %v", a)
	}
}
