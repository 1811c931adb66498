package municipality

import (
	"context"
	"net/http"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/actor"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/municipality/api"
)

type (
	idIn struct {
		ID string `path:"id" maxLength:"32"`
	}
	searchIn    struct{ Body api.Query }
	searchOut   struct{ Body api.Residents }
	residentOut struct{ Body api.Resident }
	changeIn    struct{ Body api.ChangeRequest }
	changeOut   struct{ Body api.ChangeResult }
	applyIn     struct{ Body api.NewApplication }
	caseOut     struct{ Body api.Application }
	caseIn      struct {
		ID    string `path:"id" maxLength:"32"`
		Since string `query:"since" maxLength:"20" doc:"answer as soon as the state is another"`
		Wait  string `query:"wait" maxLength:"20" doc:"at most this long, such as 25s"`
	}
	clerkBody struct {
		Clerk string `json:"clerk" minLength:"1" maxLength:"100"`
	}
	clerkIn struct {
		ID   string `path:"id" maxLength:"32"`
		Body clerkBody
	}
	letterOut struct{ Body api.Letter }
	checkIn   struct {
		ID   string `path:"id" maxLength:"32"`
		Body api.Check
	}
	keysIn struct {
		ID   string `path:"id" maxLength:"32"`
		Body api.Keys
	}
	handoverOut struct{ Body api.Handover }
	terminalIn  struct{ Body api.TerminalKey }
	terminalOut struct{ Body api.TerminalCertificate }
)

// routes are for the terminals of this town's own counter.
func (t *Town) routes() {
	counter := httpapi.Checked("The counter of this municipality", func(_ context.Context, c httpapi.Caller) error {
		if c.ID != "counter:"+string(t.code) {
			return jitsuin.Errorf(jitsuin.Denied, "not-this-counter", "%s may not act at municipality %s", c.ID, t.code)
		}
		return nil
	})
	op := func(id, method, path, summary string) httpapi.Operation {
		return httpapi.Operation{ID: id, Method: method, Path: path, Summary: summary, Policy: counter}
	}
	httpapi.Register(t.API, op("search-residents", http.MethodPost, "/residents/search", "Search the persons on the register; it changes nothing"), t.searchResidents)
	httpapi.Register(t.API, op("resident", http.MethodGet, "/residents/{id}", "One person of the register"), t.getResident)
	httpapi.Register(t.API, op("record-change", http.MethodPost, "/changes", "Record a change (異動)"),
		func(ctx context.Context, in *changeIn) (*changeOut, error) {
			out, err := t.recordChange(ctx, in.Body)
			return &changeOut{out}, err
		})
	httpapi.Register(t.API, op("apply", http.MethodPost, "/applications", "Take in an application (①)"),
		func(ctx context.Context, in *applyIn) (*caseOut, error) {
			out, err := t.apply(ctx, in.Body)
			return &caseOut{out}, err
		})
	httpapi.Register(t.API, op("applications", http.MethodGet, "/applications", "The cases of the counter"), t.listApplications)
	httpapi.Register(t.API, op("applications-of", http.MethodGet, "/residents/{id}/applications", "The cases of a person"), t.listApplicationsOf)
	httpapi.Register(t.API, op("changes", http.MethodGet, "/residents/{id}/changes", "What was recorded of a person (異動)"), t.listChanges)
	httpapi.Register(t.API, op("application", http.MethodGet, "/applications/{id}", "A case of the counter; with since it waits for a change"), t.getApplication)
	httpapi.Register(t.API, op("inquiry", http.MethodPost, "/applications/{id}/inquiry", "Make the inquiry letter (照会書)"),
		func(ctx context.Context, in *clerkIn) (*letterOut, error) {
			out, err := t.sendInquiry(ctx, jitsuin.ID(in.ID), in.Body.Clerk)
			return &letterOut{out}, err
		})
	httpapi.Register(t.API, op("check", http.MethodPost, "/applications/{id}/check", "Check who the applicant is (②); a refusal closes the case"),
		func(ctx context.Context, in *checkIn) (*caseOut, error) {
			out, err := t.check(ctx, jitsuin.ID(in.ID), in.Body)
			return &caseOut{out}, err
		})
	httpapi.Register(t.API, op("keys", http.MethodPost, "/applications/{id}/keys", "Send the public keys of a re-issue (③)"),
		func(ctx context.Context, in *keysIn) (*caseOut, error) {
			out, err := t.submitKeys(ctx, jitsuin.ID(in.ID), in.Body)
			return &caseOut{out}, err
		})
	httpapi.Register(t.API, op("handover", http.MethodPost, "/applications/{id}/handover", "Give the terminal the chip (⑥)"),
		func(ctx context.Context, in *idIn) (*handoverOut, error) {
			out, err := t.beginHandover(ctx, jitsuin.ID(in.ID))
			return &handoverOut{out}, err
		})
	httpapi.Register(t.API, op("complete", http.MethodPost, "/applications/{id}/complete", "The resident has the card (⑥)"),
		func(ctx context.Context, in *clerkIn) (*caseOut, error) {
			out, err := t.complete(ctx, jitsuin.ID(in.ID), in.Body.Clerk)
			return &caseOut{out}, err
		})
	t.deskRoutes(counter)
	t.ordinanceRoutes(counter)
	t.sealRoutes(counter)
	t.numberRoutes(counter)
	t.cardTextRoute(counter)
	t.cardFoundRoute(counter)
	httpapi.Register(t.API, op("certify-terminal", http.MethodPost, "/terminal-certificates", "Have the terminal's key certified by J-LIS"),
		func(ctx context.Context, in *terminalIn) (*terminalOut, error) {
			out, err := t.certifyTerminal(ctx, in.Body.PublicKey)
			return &terminalOut{api.TerminalCertificate{Certificate: out}}, err
		})
}

// searchResidents takes a POST, because no name and date of birth belong in a URL.
func (t *Town) searchResidents(ctx context.Context, in *searchIn) (*searchOut, error) {
	if in.Body.BirthDate != "" {
		if _, err := jitsuin.ParseDate(in.Body.BirthDate); err != nil {
			return nil, err
		}
	}
	out := &searchOut{api.Residents{Residents: []api.Resident{}}}
	err := t.DB.View(ctx, func(tx *store.Tx) error {
		found, err := searchRecords(tx, in.Body)
		out.Body.Residents = make([]api.Resident, 0, len(found))
		for _, r := range found {
			out.Body.Residents = append(out.Body.Residents, r.resident(t.code))
		}
		return err
	})
	return out, err
}

func (t *Town) getResident(ctx context.Context, in *idIn) (*residentOut, error) {
	out := &residentOut{}
	err := t.DB.View(ctx, func(tx *store.Tx) error {
		r, err := readRecord(tx, jitsuin.ID(in.ID))
		if err == nil && r == nil {
			err = errUnknownResident()
		}
		if err == nil {
			out.Body = r.resident(t.code)
		}
		return err
	})
	return out, err
}

const (
	longestWait = 60 * time.Second
	sharedPoll  = 250 * time.Millisecond // where another process on the same database may change the case
	ownPoll     = time.Second            // a commit whose answer was lost gives no signal
)

// getApplication answers at once, or with since and wait as soon as the state is another.
func (t *Town) getApplication(ctx context.Context, in *caseIn) (*caseOut, error) {
	wait, err := readWait(in.Wait)
	if err != nil {
		return nil, err
	}
	signals, stop := t.DB.Watch(caseSignal)
	defer stop()
	timeout := time.NewTimer(min(wait, longestWait))
	defer timeout.Stop()
	poll := ownPoll
	if t.DB.Shared() {
		poll = sharedPoll
	}
	for over := wait == 0; ; {
		c, err := t.application(ctx, jitsuin.ID(in.ID))
		if err != nil || over || string(c.State) != in.Since {
			return &caseOut{c}, err
		}
		select {
		case <-signals:
		case <-time.After(poll):
		case <-timeout.C:
			over = true
		case <-actor.Stopping(ctx):
			over = true
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
