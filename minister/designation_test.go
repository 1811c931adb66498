package minister_test

import (
	"context"
	"crypto/ecdsa"
	"log/slog"
	"testing"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/minister/api"
)

func staffCard() api.DesignationRequest {
	return api.DesignationRequest{Provider: "provider:ministry-1", Body: "例示省（見本）", Name: "国家公務員身分証", AID: "f04a49545355020101", Ground: api.GroundPublicBody,
		Purpose: "職員の身分の証明と庁舎への入退", Bytes: 2048, From: jitsuin.DateOf(time.Now())}
}

func TestADesignationIsGivenAndWithdrawn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, url string) {
		o := start(t, url)
		official := o.as("official:1")
		given, err := official.Designate(t.Context(), staffCard(), "designate-0001")
		if err != nil {
			t.Fatal(err)
		}
		today := jitsuin.DateOf(time.Now())
		if given.AID != "F04A49545355020101" || !given.InForceOn(today) || given.InForceOn(today.AddDays(-1)) {
			t.Errorf("given: %+v", given)
		}
		if again, err := official.Designate(t.Context(), staffCard(), "designate-0001"); err != nil || again != given {
			t.Errorf("the same request again: %+v, %v", again, err)
		}
		if _, err := official.Designate(t.Context(), staffCard(), "designate-0002"); jitsuin.CodeOf(err) != "aid-taken" {
			t.Errorf("the name was given twice: %v", err)
		}
		if _, err := o.as("platform:1").Withdraw(t.Context(), given.ID, "なし", "withdraw-0001"); jitsuin.KindOf(err) != jitsuin.Denied {
			t.Errorf("a platform withdrew: %v", err)
		}
		gone, err := official.Withdraw(t.Context(), given.ID, "組織の廃止", "withdraw-0002")
		if err != nil || gone.InForceOn(today) {
			t.Fatalf("withdrawn: %+v, %v", gone, err)
		}
		if _, err := official.Withdraw(t.Context(), given.ID, "組織の廃止", "withdraw-0003"); jitsuin.CodeOf(err) != "already-withdrawn" {
			t.Errorf("withdrawn twice: %v", err)
		}
		h, err := o.as("platform:1").Designation(t.Context(), given.ID)
		if err != nil || len(h.Steps) != 2 || h.Steps[1].State != api.Withdrawn || h.Steps[1].By != "official:1" || h.Reason != "組織の廃止" {
			t.Errorf("history: %+v, %v", h, err)
		}
		if events := o.designationEvents(t, 2); events[1].Subject != given.AID || events[1].Type != api.TypeDesignation {
			t.Errorf("feed: %+v", events)
		}
	})
}

// The end of a designation stands among what falls due.
func TestTheEndOfADesignationFallsDue(t *testing.T) {
	t.Parallel()
	o := start(t, "sqlite:"+t.TempDir()+"/m.sqlite")
	r := staffCard()
	r.Until = r.From.AddDays(30)
	if _, err := o.as("official:1").Designate(t.Context(), r, "due-0001"); err != nil {
		t.Fatal(err)
	}
	var out struct {
		Due []struct {
			Kind string    `json:"kind"`
			At   time.Time `json:"at"`
		} `json:"due"`
	}
	if err := o.as("country:1").Call(t.Context(), "GET", "/upcoming", "", nil, &out); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, d := range out.Due {
		found = found || d.Kind == "designations-end" && d.At.Equal(r.Until.AddDays(1).Start())
	}
	if !found {
		t.Errorf("not among %+v", out)
	}
}

// A name is never given to a second body, not even after a withdrawal: the first one's application may still lie on cards.
func TestNamesOnTheChipStayWithTheirBody(t *testing.T) {
	t.Parallel()
	o := start(t, "sqlite:"+t.TempDir()+"/m.sqlite")
	official := o.as("official:1")
	given, err := official.Designate(t.Context(), staffCard(), "names-0001")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := official.Withdraw(t.Context(), given.ID, "見本", "names-0002"); err != nil {
		t.Fatal(err)
	}
	other := staffCard()
	other.Provider, other.Ground = "provider:railway-1", api.GroundOperator
	for _, aid := range []string{"F04A49545355020101", "F04A4954535502", "F04A4954535502010103"} {
		other.AID = aid
		if _, err := official.Designate(t.Context(), other, "names-other-"+aid); jitsuin.CodeOf(err) != "aid-taken" {
			t.Errorf("another body got %s: %v", aid, err)
		}
	}
	if again, err := official.Designate(t.Context(), staffCard(), "names-0003"); err != nil || again.ID == given.ID {
		t.Errorf("the same body anew: %+v, %v", again, err)
	}
}

func TestDesignationsThatSayTooLittle(t *testing.T) {
	t.Parallel()
	o := start(t, "sqlite:"+t.TempDir()+"/m.sqlite")
	for code, spoil := range map[string]func(*api.DesignationRequest){
		"aid-form":        func(r *api.DesignationRequest) { r.AID = "A000000308000010" },
		"aid-reserved":    func(r *api.DesignationRequest) { r.AID = "D392F00026" },
		"provider-form":   func(r *api.DesignationRequest) { r.Provider = "municipality:91201" },
		"purpose-missing": func(r *api.DesignationRequest) { r.Purpose = " " },
		"date-order":      func(r *api.DesignationRequest) { r.Until = r.From.AddDays(-1) },
		"date-missing":    func(r *api.DesignationRequest) { r.From = jitsuin.Date{} },
	} {
		r := staffCard()
		spoil(&r)
		if _, err := o.as("official:1").Designate(t.Context(), r, "little-"+code); jitsuin.CodeOf(err) != code {
			t.Errorf("want %s: %v", code, err)
		}
	}
	if _, err := o.as("platform:1").Designate(t.Context(), staffCard(), "little-platform"); jitsuin.KindOf(err) != jitsuin.Denied {
		t.Errorf("a platform designated: %v", err)
	}
}

// designationEvents reads the feed as J-LIS does, until n events have come.
func (o *office) designationEvents(t *testing.T, n int) []feed.Event {
	t.Helper()
	var got []feed.Event
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	f, err := feed.NewMemoryFollower(feed.MemoryConfig{
		SourceConfig: feed.SourceConfig{Source: "minister:1", Topic: api.TopicDesignations, BaseURL: "http://callee",
			HTTP: httpapi.NewRemote(o.caller["jlis:1"], o.dir, "minister:1").HTTPClient(),
			Keys: func(string) (*ecdsa.PublicKey, error) { return &o.caller["minister:1"].Key.PublicKey, nil }},
		Apply: func(_ context.Context, e feed.Event) error {
			if got = append(got, e); len(got) == n {
				cancel()
			}
			return nil
		}, Reset: func() { got = nil }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	f.Run(ctx)
	if len(got) != n {
		t.Fatalf("%d events came, want %d", len(got), n)
	}
	return got
}
