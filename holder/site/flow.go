package site

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/card/reader"
	"github.com/jitsuin/jitsuin/holder"
	"github.com/jitsuin/jitsuin/platform/api"
	"github.com/jitsuin/jitsuin/signature/form"
)

// flow is one request on its way through the holder. It lives in memory and belongs to one browser.
type flow struct {
	mu     sync.Mutex // held by who handles the flow
	claims api.RequestClaims
	uri    string     // where the request lies
	form   *form.Form // where the document is a form

	card  string // that was chosen: an ID, or holder.Place's name of a reader
	again bool   // a PIN was verified before
	label string
	// through is what lies between card and us, where a persona's test has something go wrong; nil otherwise.
	through func(reader.Card) reader.Card
	open    *opened // nil while no PIN is verified

	read *itemsRead // of a login that asks for items; nil before they were read

	warnings []holder.Warning  // of the certificate, when its PIN was verified
	warned   bool              // the person goes on in spite of them
	typed    map[string]string // into the form; nil before
	signed   []byte            // the document that is, or will be, signed

	answer  *api.HolderAnswer // made, and to be sent
	fault   fault
	sent    bool
	refusal string // what the relying party said where it did not take the answer
	second  string // what it said to a second answer, which a tester wanted
	back    string // where the person returns; "" for nowhere
	secret  string // what the person types on the other device that began; "" for nothing
	until   time.Time
}

// opened is a card while its PIN is verified.
type opened struct {
	card   *holder.Card
	key    *holder.Unlocked
	items  jitsuin.FourItems // of the signature certificate
	until  time.Time
	cancel context.CancelFunc
}

func (f *flow) kind() jitsuin.CertKind {
	if f.claims.Act == api.ActLogin {
		return jitsuin.AuthCert
	}
	return jitsuin.SignCert
}

// closeCard gives the card back; the PIN has to be typed again.
func (f *flow) closeCard() {
	if f.open != nil {
		f.open.cancel()
		_ = f.open.card.Close() // what was open is gone either way
		f.open = nil
	}
}

// stage is the page on which the flow stands.
func (f *flow) stage() string {
	switch {
	case f.sent:
		return "/done"
	case f.answer != nil:
		return "/send"
	case f.card == "":
		return ""
	case f.asksItems() && f.read == nil:
		return "/items-pin"
	case f.asksItems() && !f.read.agreed:
		return "/items"
	case f.open == nil:
		return "/pin"
	case !f.warned && len(f.warnings) > 0:
		return "/warning"
	case f.form != nil && f.signed == nil:
		return "/form"
	}
	return "/read"
}

// underWay tells whether the flow still needs its person; one that somebody is at does.
func (f *flow) underWay() bool {
	if !f.mu.TryLock() {
		return true
	}
	defer f.mu.Unlock()
	return !f.sent
}

type flowKey struct {
	browser string // hash of the cookie
	txn     jitsuin.ID
}

// flows are all of them; few, and each for minutes.
type flows struct {
	mu  sync.Mutex
	all map[flowKey]*flow
}

const (
	mostFlows        = 200
	mostOfOneBrowser = 8
	lateTime         = 10 * time.Minute // that a flow's pages are shown after the request has expired
)

func (fs *flows) get(k flowKey) *flow {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.all[k]
}

// put adds a flow, unless there are too many; one that is there already stays and is given.
func (fs *flows) put(k flowKey, f *flow) (*flow, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if had := fs.all[k]; had != nil {
		return had, nil
	}
	own := 0
	for other, had := range fs.all {
		if other.browser == k.browser && had.underWay() {
			own++
		}
	}
	if len(fs.all) >= mostFlows || own >= mostOfOneBrowser {
		return nil, jitsuin.Errorf(jitsuin.Limited, "flows-many", "too many requests are open here").WithHint("end those that are open, or come back later")
	}
	fs.all[k] = f
	return f, nil
}

// claims gives what is asked in a request that some browser has open here.
func (fs *flows) claims(txn jitsuin.ID) (api.RequestClaims, bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for k, f := range fs.all {
		if k.txn == txn {
			return f.claims, true
		}
	}
	return api.RequestClaims{}, false
}

func (fs *flows) sweep(now time.Time) {
	fs.mu.Lock()
	list := maps.Clone(fs.all)
	fs.mu.Unlock()
	for k, f := range list {
		if !f.mu.TryLock() { // somebody is at it
			continue
		}
		over := now.After(f.until)
		f.forgetItems(now)
		if over || f.open != nil && now.After(f.open.until) {
			f.closeCard()
		}
		f.mu.Unlock()
		if over {
			fs.mu.Lock()
			delete(fs.all, k)
			fs.mu.Unlock()
		}
	}
}

func (fs *flows) closeAll() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for k, f := range fs.all {
		f.mu.Lock()
		f.closeCard()
		f.mu.Unlock()
		delete(fs.all, k)
	}
}
