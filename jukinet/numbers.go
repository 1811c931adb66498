package jukinet

import (
	"context"
	"crypto/rand"
	"math/big"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/store"
	"github.com/jitsuin/jitsuin/jukinet/api"
	"github.com/jitsuin/jitsuin/rules"
)

// The law makes My Number from the resident code by a transformation that cannot be reversed. Here
// both are drawn at random and designated as a pair, which has the same property.

// drawPair draws a pair that nobody need have yet.
func drawPair() (api.NumberPair, error) {
	for {
		body, err := drawDigits(10)
		if err != nil {
			return api.NumberPair{}, err
		}
		check, err := rules.ResidentCodeCheckDigit(body)
		if jitsuin.KindOf(err) == jitsuin.Unsupported && err != nil {
			continue // a remainder whose check digit is not published
		}
		if err != nil {
			return api.NumberPair{}, err
		}
		first, err := drawDigits(11)
		if err != nil {
			return api.NumberPair{}, err
		}
		last, err := rules.MyNumberCheckDigit(first)
		return api.NumberPair{MyNumber: jitsuin.MyNumber(first + string(last)), ResidentCode: jitsuin.ResidentCode(body + string(check))}, err
	}
}

func drawDigits(n int) (string, error) {
	out := make([]byte, n)
	for i := range out {
		d, err := rand.Int(rand.Reader, big.NewInt(10))
		if err != nil {
			return "", err
		}
		out[i] = '0' + byte(d.Int64())
	}
	return string(out), nil
}

// stockPoll is how often the stocks are looked at without a signal: none is given where a commit
// took effect and its answer was lost, or where another process on the same database made it.
const stockPoll = 5 * time.Second

// designate keeps the stock of every town filled until ctx ends.
func (n *Network) designate(ctx context.Context) error {
	signals, stop := n.DB.Watch(numbersSignal)
	defer stop()
	for ctx.Err() == nil {
		for _, town := range n.towns {
			if err := n.refill(ctx, town); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
		case <-signals:
		case <-time.After(stockPoll):
		}
	}
	return nil
}

// refill designates more numbers to a town once half of its stock is used. The numbers are drawn
// before the transaction, which may rerun.
func (n *Network) refill(ctx context.Context, town jitsuin.MunicipalityCode) error {
	var stock []api.NumberPair
	err := n.DB.View(ctx, func(tx *store.Tx) (err error) {
		stock, err = unusedPairs(tx, town)
		return err
	})
	if err != nil || len(stock) > n.stock/2 {
		return err
	}
	pairs := make([]api.NumberPair, n.stock)
	for i := range pairs {
		if pairs[i], err = drawPair(); err != nil {
			return err
		}
	}
	return n.DB.Update(ctx, func(tx *store.Tx) error {
		unused, err := unusedPairs(tx, town)
		if err != nil || len(unused) > n.stock/2 {
			return err
		}
		for _, p := range pairs[:n.stock-len(unused)] {
			added, err := addPair(tx, town, p)
			if err != nil {
				return err
			}
			if added {
				unused = append(unused, p)
			}
		}
		_, err = feed.Append(tx, feed.Draft{Topic: api.TopicToTown(town), Subject: api.NumbersSubject, Type: api.TypeNumbers,
			Body: api.Numbers{Pairs: unused}, RecordedAt: n.Clock.Now()})
		return err
	})
}

func unusedPairs(tx *store.Tx, town jitsuin.MunicipalityCode) ([]api.NumberPair, error) {
	return store.Collect(func(s store.Scanner) (api.NumberPair, error) {
		var code, number string
		err := s.Scan(&code, &number)
		return api.NumberPair{MyNumber: jitsuin.MyNumber(number), ResidentCode: jitsuin.ResidentCode(code)}, err
	})(tx.Query(`SELECT resident_code, my_number FROM designated WHERE municipality = $1 AND used = 0 ORDER BY resident_code`, string(town)))
}

// addPair designates a pair unless somebody has one of its numbers.
func addPair(tx *store.Tx, town jitsuin.MunicipalityCode, p api.NumberPair) (bool, error) {
	var taken int
	err := tx.QueryRow(`SELECT COUNT(*) FROM person WHERE my_number = $1 OR resident_code = $2`, p.MyNumber.Reveal(), p.ResidentCode.Reveal()).Scan(&taken)
	if err != nil || taken > 0 {
		return false, err
	}
	r, err := tx.Exec(`INSERT INTO designated (resident_code, my_number, municipality, used) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING`,
		p.ResidentCode.Reveal(), p.MyNumber.Reveal(), string(town))
	if err != nil {
		return false, err
	}
	added, err := r.RowsAffected()
	return added > 0, err
}

// markUsed notes that a designated resident code has been given to somebody.
func markUsed(tx *store.Tx, c api.Notice) error {
	r, err := tx.Exec(`UPDATE designated SET used = 1 WHERE resident_code = $1 AND used = 0`, c.ResidentCode.Reveal())
	if err != nil {
		return err
	}
	if used, err := r.RowsAffected(); err != nil || used == 0 {
		return err
	}
	tx.Notify(numbersSignal)
	return nil
}
