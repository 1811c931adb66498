package verifier

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"time"

	"github.com/jitsuin/jitsuin/status"
	"github.com/jitsuin/jitsuin/verifier/fetch"
)

// State is what the verifier knows and trusts at the moment.
type State struct {
	At          time.Time            `json:"at"`
	Condition   Condition            `json:"condition" enum:"current,ended,missing" doc:"The worst of all issuers with lists, and missing where there is no list at all"`
	Grace       string               `json:"grace,omitempty" doc:"How long after its end a list may still answer; absent where none may"`
	OutsideJPKI bool                 `json:"outside_jpki"`
	Anchors     []Anchor             `json:"anchors"`
	TimeAnchors []Anchor             `json:"time_anchors,omitempty" doc:"Absent where those of anchors are trusted for time-stamps"`
	Lists       []ListState          `json:"lists" doc:"In use, by issuer and partition, the newest first"`
	Problems    []status.FileProblem `json:"problems" doc:"Files in the folder that are not used"`
	Sources     []fetch.SourceState  `json:"sources"`
}

// Condition says how the status at hand is.
type Condition string

const (
	Current Condition = "current" // every issuer's and partition's newest list is in its time
	Over    Condition = "ended"   // the newest list of some issuer or partition has ended
	Missing Condition = "missing" // an authority has no list: nothing of it can pass
)

// Anchor is an authority that is trusted.
type Anchor struct {
	Subject   string    `json:"subject"`
	SHA256    string    `json:"sha256" doc:"Fingerprint of the certificate, hexadecimal"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Lists     Condition `json:"lists" enum:"current,ended,missing" doc:"How the lists are that its own key signed; an authority without residents' certificates may need none"`
}

// ListState is a list and how old it is.
type ListState struct {
	status.FolderList
	AgeSeconds int64 `json:"age_seconds" doc:"Since it was made"`
}

// State looks at what is in use. Nothing is read anew.
func (v *Verifier) State() State {
	now := v.clock()
	s := State{At: now.UTC(), OutsideJPKI: v.cfg.OutsideJPKI, Problems: v.folder.Problems(), Sources: v.fetcher.States()}
	if v.cfg.Grace > 0 {
		s.Grace = v.cfg.Grace.String()
	}
	lists := v.folder.Lists()
	for _, l := range lists {
		s.Lists = append(s.Lists, ListState{l, int64(now.Sub(l.ThisUpdate).Seconds())})
	}
	if s.Lists == nil {
		s.Lists = []ListState{}
	}
	s.Anchors, s.TimeAnchors = v.describe(v.anchors, lists), v.describe(v.timeAnchors, lists)
	s.Condition = conditionOf(lists, func(status.FolderList) bool { return true })
	return s
}

func (v *Verifier) describe(anchors []*x509.Certificate, lists []status.FolderList) (all []Anchor) {
	for _, c := range anchors {
		sum, key := sha256.Sum256(c.Raw), sha256.Sum256(c.RawSubjectPublicKeyInfo)
		own := hex.EncodeToString(key[:])
		all = append(all, Anchor{Subject: nameOf(c.RawSubject), SHA256: hex.EncodeToString(sum[:]), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
			Lists: conditionOf(lists, func(l status.FolderList) bool { return l.IssuerKey == own })})
	}
	return all
}

// nameOf writes a DER name as RFC 4514 does; pkix.Name would join what an authority's name has several of.
func nameOf(der []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return "(a name that cannot be read)"
	}
	return name.String()
}

// conditionOf judges the newest lists among some.
func conditionOf(lists []status.FolderList, among func(status.FolderList) bool) Condition {
	found := Missing
	for _, l := range lists {
		if !l.Newest || !among(l) {
			continue
		}
		if l.Ended {
			return Over
		}
		found = Current
	}
	return found
}

// oldest gives the newest list that ended first, or else the one that was made first; nil without lists. It is what
// the page warns of.
func (s *State) oldest() *ListState {
	var worst *ListState
	for i := range s.Lists {
		l := &s.Lists[i]
		if l.Newest && (worst == nil || l.NextUpdate.Before(worst.NextUpdate)) {
			worst = l
		}
	}
	return worst
}

// shown gives at most n of the newest lists, those that end first, for the page.
func (s *State) shown(n int) []ListState {
	all := slices.DeleteFunc(slices.Clone(s.Lists), func(l ListState) bool { return !l.Newest })
	slices.SortStableFunc(all, func(a, b ListState) int { return a.NextUpdate.Compare(b.NextUpdate) })
	return all[:min(n, len(all))]
}
