package municipality

import (
	"context"
	"net/http"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/store"
	jlis "github.com/jitsuin/jitsuin/jlis/api"
	"github.com/jitsuin/jitsuin/municipality/api"
	"github.com/jitsuin/jitsuin/rules"
)

type (
	cardFoundIn struct {
		Key  string `header:"Idempotency-Key" json:"-"`
		ID   string `path:"id" maxLength:"32"`
		Body api.FoundCard
	}
	cardFoundOut struct{ Body api.CardFound }
)

func (t *Town) cardFoundRoute(counter httpapi.Policy) {
	httpapi.Register(t.API, httpapi.Operation{ID: "card-found", Method: http.MethodPost, Path: "/residents/{id}/card-found", Policy: counter,
		Summary: "Have the suspension of a lost card's certificates lifted, after a check of the person (一時停止の解除)",
		Description: "With a photo document of the person, or of the legal representative of somebody under 15 or an adult ward. The check is recorded before J-LIS is asked. Needs the header Idempotency-Key; repeated, the answer is the same. " +
			"Errors: document-expired, document-differs, face-differs, representative-needed, representative-not-needed, not-resident."}, t.cardFound)
}

// cardFound records the check, and then has J-LIS lift the suspension, under the record's own key: an answer that was lost is asked for
// again and does nothing twice.
func (t *Town) cardFound(ctx context.Context, in *cardFoundIn) (*cardFoundOut, error) {
	id, now := jitsuin.NewID(), t.Clock.Now()
	found, err := httpapi.Once(ctx, t.DB, "card-found", []any{in.ID, in.Body}, func(tx *store.Tx) (f api.CardFound, err error) {
		r, err := residentHere(tx, jitsuin.ID(in.ID))
		if err == nil {
			err = mayResume(in.Body, *r, jitsuin.DateOf(now))
		}
		if err != nil {
			return f, err
		}
		f = api.CardFound{ID: id, Subject: r.Subject, Clerk: in.Body.Clerk, Document: in.Body.Document.Type, Representative: in.Body.Representative, At: now.UTC()}
		by := 0
		if f.Representative {
			by = 1
		}
		_, err = tx.Exec(`INSERT INTO card_found (id, subject, clerk, document, representative, caller, request_id, at, certificates) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, -1)`,
			string(id), string(f.Subject), f.Clerk, f.Document, by, httpapi.CallerOf(ctx).ID, httpapi.RequestID(ctx), store.Micros(now))
		return f, err
	})
	if err == nil {
		err = t.resume(ctx, &found)
	}
	t.Log.InfoContext(ctx, "card found", "clerk", in.Body.Clerk, "subject", in.ID, "record", found.ID, "request_id", httpapi.RequestID(ctx), "refused", jitsuin.CodeOf(err))
	if err != nil {
		return nil, err
	}
	return &cardFoundOut{found}, nil
}

func (t *Town) resume(ctx context.Context, f *api.CardFound) error {
	out, err := t.agency.Resume(ctx, string(f.ID), jlis.Resumption{Subject: f.Subject})
	if err != nil {
		return err
	}
	f.Certificates = out.Certificates
	return t.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE card_found SET certificates = $2 WHERE id = $1`, string(f.ID), f.Certificates)
		return err
	})
}

// mayResume judges the check: the person's own document says what the register says; for whom a representative acts, the representative is there.
func mayResume(f api.FoundCard, r record, today jitsuin.Date) error {
	needs := rules.RepresentativeSetsPIN(r.holder(), today)
	differ := f.Document.Items.Differences(r.Items)
	switch {
	case needs && !f.Representative:
		return jitsuin.Errorf(jitsuin.Denied, "representative-needed", "the legal representative acts for this person").At("representative")
	case !needs && f.Representative:
		return jitsuin.Errorf(jitsuin.Denied, "representative-not-needed", "this person acts in person").At("representative")
	case f.Document.Expires.Before(today):
		return jitsuin.Errorf(jitsuin.Denied, "document-expired", "the document was valid until %s", f.Document.Expires).At("document.expires")
	case !needs && len(differ) > 0:
		return jitsuin.Errorf(jitsuin.Denied, "document-differs", "the document and the register disagree: %s", strings.Join(differ, ", ")).At("document.items")
	case !f.Document.FaceMatches:
		return jitsuin.Errorf(jitsuin.Denied, "face-differs", "the face is not that of the photograph").At("document.face_matches")
	}
	return nil
}
