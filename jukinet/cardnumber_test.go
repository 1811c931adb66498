package jukinet

import (
	"strings"
	"testing"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/internal/store/storetest"
	"github.com/jitsuin/jitsuin/jukinet/api"
)

// J-LIS gets the number of a card that it makes, and nobody else does; it is recorded once an application, and
// the number is in no log.
func TestTheNumberForACard(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, database string) {
		w := prepare(t, database)
		n := w.open()
		w.run(n.Actor, n.Run)
		a, agency := w.town(townA), w.neighbour("jlis:1", api.TopicToJLIS)
		hanako, taro := entry(t, townA, 1), entry(t, townA, 2)
		a.send(hanako, taro)
		eventually(t, "J-LIS has both", func() bool { return len(agency.events(api.TypeChange)) == 2 })
		ctx := t.Context()
		ask := api.Client{Remote: agency.Remote("jukinet:1")}
		app := jitsuin.NewID()
		for range 2 {
			if number, err := ask.CardNumber(ctx, api.CardNumberRequest{Application: app, Subject: hanako.Subject}); err != nil || number != hanako.MyNumber {
				t.Fatalf("the number: %v", err)
			}
		}
		told := 0
		w.must(n.DB.View(ctx, func(tx *store.Tx) error {
			return tx.QueryRow(`SELECT COUNT(*) FROM number_told WHERE caller = 'jlis:1' AND application = $1 AND subject = $2`, string(app), string(hanako.Subject)).Scan(&told)
		}))
		if told != 1 {
			t.Errorf("recorded %d times", told)
		}
		for name, c := range map[string]struct {
			by   api.Client
			ask  api.CardNumberRequest
			kind jitsuin.Kind
			code string
		}{
			"a municipality":                {api.Client{Remote: a.Remote("jukinet:1")}, api.CardNumberRequest{Application: app, Subject: hanako.Subject}, jitsuin.Denied, "not-for-this-caller"},
			"an application of another":     {ask, api.CardNumberRequest{Application: app, Subject: taro.Subject}, jitsuin.Conflict, "application-of-another"},
			"somebody whom nobody knows":    {ask, api.CardNumberRequest{Application: jitsuin.NewID(), Subject: jitsuin.NewID()}, jitsuin.NotFound, "person-unknown"},
			"an application without a form": {ask, api.CardNumberRequest{Application: "x", Subject: hanako.Subject}, jitsuin.Invalid, ""},
		} {
			if number, err := c.by.CardNumber(ctx, c.ask); jitsuin.KindOf(err) != c.kind || c.code != "" && jitsuin.CodeOf(err) != c.code || number != "" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if strings.Contains(w.log.String(), hanako.MyNumber.Reveal()) {
			t.Error("the number is in the log")
		}
	})
}
