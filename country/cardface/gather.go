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
