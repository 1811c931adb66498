package cardface

import (
	"context"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/country"
	town "github.com/jitsuin/jitsuin/municipality/api"
)

// Gather asks every municipality of a running country what it knows of a person, as its own counter.
func Gather(ctx context.Context, folder country.Folder, subject jitsuin.ID) (map[jitsuin.MunicipalityCode]Known, error) {
	facts, err := folder.Facts()
	if err != nil {
		return nil, err
	}
	known := map[jitsuin.MunicipalityCode]Known{}
	for _, m := range facts.Sample().Municipalities {
		r, err := folder.Remote(country.Counter(m.Code), country.Town(m.Code))
		if err != nil {
			return nil, err
		}
		k, err := ask(ctx, town.Client{Remote: r}, subject)
		r.Close()
		if err != nil {
			return nil, err
		}
		known[m.Code] = k
	}
	return known, nil
}

func ask(ctx context.Context, c town.Client, subject jitsuin.ID) (k Known, err error) {
	r, err := c.Resident(ctx, subject)
	if jitsuin.KindOf(err) == jitsuin.NotFound {
		return k, nil
	}
	if err != nil {
		return k, err
	}
	k.Record = &r
	if k.Cases, err = c.ApplicationsOf(ctx, subject); err != nil {
		return k, err
	}
	k.Changes, err = c.Changes(ctx, subject)
	return k, err
}

// Find finds a person of a running country by ID, or by name or its beginning, and the municipality where they are on
// the register or were last. Errors: NotFound "resident-unknown", Conflict "resident-unclear" where several have the name.
func Find(ctx context.Context, folder country.Folder, who string) (subject jitsuin.ID, at jitsuin.MunicipalityCode, err error) {
	facts, err := folder.Facts()
	if err != nil {
		return "", "", err
	}
	id, _ := jitsuin.ParseID(who) // "" where who is a name
	found := map[jitsuin.ID]jitsuin.MunicipalityCode{}
	for _, m := range facts.Sample().Municipalities {
		r, err := folder.Remote(country.Counter(m.Code), country.Town(m.Code))
		if err != nil {
			return "", "", err
		}
		defer r.Close()
		residents, err := residentsAt(ctx, town.Client{Remote: r}, id, who)
		if err != nil {
			return "", "", err
		}
		for _, p := range residents {
			if _, ok := found[p.Subject]; !ok || p.State == jitsuin.Present {
				found[p.Subject], subject, at = m.Code, p.Subject, m.Code
			}
		}
	}
	switch len(found) {
	case 0:
		return "", "", jitsuin.Errorf(jitsuin.NotFound, "resident-unknown", "no municipality has this person on its register")
	case 1:
		return subject, at, nil
	}
	return "", "", jitsuin.Errorf(jitsuin.Conflict, "resident-unclear", "%d people have a name that begins so", len(found)).WithHint("give the whole name, or the resident's ID")
}

func residentsAt(ctx context.Context, c town.Client, id jitsuin.ID, name string) ([]town.Resident, error) {
	if id == "" {
		return c.Search(ctx, town.Query{Name: name, Left: true})
	}
	r, err := c.Resident(ctx, id)
	if jitsuin.KindOf(err) == jitsuin.NotFound {
		return nil, nil
	}
	return []town.Resident{r}, err
}
