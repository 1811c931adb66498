package jitsuin

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Cause is why a resident record was entered, deleted or amended (記載・消除・修正の事由,
// Enforcement Ordinance of the Basic Resident Registration Act, art. 11).
type Cause string

const (
	// Entries (記載).
	CauseMoveIn  Cause = "move-in"            // 転入等
	CauseBirth   Cause = "birth"              // 出生
	CauseEntered Cause = "entered-officially" // 職権記載等
	// Deletions (消除).
	CauseMoveOut Cause = "move-out"           // 転出, within the country or abroad
	CauseDeath   Cause = "death"              // 死亡
	CauseDeleted Cause = "deleted-officially" // 職権消除等
	// Amendments (修正).
	CauseMoveWithin      Cause = "move-within"        // 転居, within one municipality
	CauseMinorCorrection Cause = "minor-correction"   // 軽微な修正
	CauseAmended         Cause = "amended-officially" // 職権修正等: a new name by marriage comes this way
	// Changes of the resident code (住民票コード).
	CauseCodeRequested Cause = "code-change-requested"  // 記載の変更請求
	CauseCodeOfficial  Cause = "code-change-officially" // 職権記載等
)

// Valid tells whether c is one of the causes of art. 11.
func (c Cause) Valid() bool {
	switch c {
	case CauseMoveIn, CauseBirth, CauseEntered, CauseMoveOut, CauseDeath, CauseDeleted, CauseMoveWithin,
		CauseMinorCorrection, CauseAmended, CauseCodeRequested, CauseCodeOfficial:
		return true
	}
	return false
}

// ResidentState says where a resident record stands.
type ResidentState string

const (
	Present ResidentState = "present" // on the register of the municipality named
	Moving  ResidentState = "moving"  // moved out within the country, not yet moved in elsewhere
	Abroad  ResidentState = "abroad"  // moved out of the country
	Dead    ResidentState = "dead"
	Deleted ResidentState = "deleted" // deleted for another cause
)

// Change is a notice of change (異動) of one resident: why, when, and the whole record as it is
// afterwards, so that the newest notice of a person is their state.
// Subject is the person's ID within the registry network.
type Change struct {
	Subject      ID               `json:"subject"`
	Cause        Cause            `json:"cause"`
	OccurredOn   Date             `json:"occurred_on" doc:"事由発生年月日; of a 転出 the planned date of departure"`
	Municipality MunicipalityCode `json:"municipality" doc:"where the record stands, or last stood"`
	State        ResidentState    `json:"state"`
	Items        FourItems        `json:"items"`
	// ContinuedUse tells for State Abroad that the card stays in use abroad (国外継続利用).
	ContinuedUse bool `json:"continued_use,omitempty"`
	// MinorRule is, for a minor correction, which of the seven cases of art. 21-2 applies (1 to 7).
	MinorRule int `json:"minor_rule,omitempty"`
	// RequestID is the request that caused the change, carried through the whole chain.
	RequestID string `json:"request_id,omitempty"`
}

// Position is a place in a sender's change feed: the N-th event of an epoch. It is written EPOCH.N.
type Position struct {
	Epoch uint32 `json:"epoch"`
	N     uint64 `json:"n"`
}

// String writes EPOCH.N.
func (p Position) String() string { return fmt.Sprintf("%d.%d", p.Epoch, p.N) }

// ParsePosition reads EPOCH.N; "" is the place before the first event.
func ParsePosition(s string) (p Position, err error) {
	if s == "" {
		return Position{}, nil
	}
	epoch, n, ok := strings.Cut(s, ".")
	e, err1 := strconv.ParseUint(epoch, 10, 32)
	p.N, err = strconv.ParseUint(n, 10, 64)
	if !ok || err1 != nil || err != nil {
		return Position{}, Errorf(Invalid, "position-form", "a feed position is written EPOCH.N, not %q", s)
	}
	p.Epoch = uint32(e)
	return p, nil
}

// Compare orders positions: a later epoch is later whatever its number.
func (p Position) Compare(q Position) int {
	if c := cmp.Compare(p.Epoch, q.Epoch); c != 0 {
		return c
	}
	return cmp.Compare(p.N, q.N)
}
