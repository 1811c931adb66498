package openid

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Claims of a person that a client may ask for. The first four are the four items (基本4情報), which the holder reads from the card
// with its own PIN; age_over_N tells yes or no and nothing else. None of them makes a record of identity verification: that needs
// the signature certificate over the transaction (POST /v1/verifications).
var itemClaims = []string{"name", "address", "birthdate", "gender"}

// holderItems are the same claims in the words of a request to the holder.
var holderItems = map[string]string{"name": "name", "address": "address", "birthdate": "birth_date", "gender": "sex"}

var ageClaim = regexp.MustCompile(`^age_over_([1-9][0-9]?|1[0-1][0-9]|120)$`)

// maxAges is how many thresholds one login may ask about: more of them would tell the age.
const maxAges = 2

// item tells whether a claim is one of a person's, and gives its name for the holder.
func item(claim string) (holder string, ok bool) {
	if h, ok := holderItems[claim]; ok {
		return h, true
	}
	return claim, ageClaim.MatchString(claim)
}

// knownScope tells whether a client may register a scope.
func knownScope(s string) bool {
	_, ok := item(s)
	return ok || s == scopeOpenID || s == scopeSign || s == "profile"
}

// claimsOfScope are those that a scope asks for (OpenID Connect Core §5.4; the state's service has one for each).
func claimsOfScope(s string) []string {
	switch s {
	case scopeOpenID, scopeSign:
		return nil
	case "profile":
		return []string{"name", "birthdate", "gender"}
	}
	return []string{s}
}

// wish is a member of the parameter claims (OpenID Connect Core §5.5.1).
type wish struct {
	Essential bool              `json:"essential,omitempty"`
	Value     json.RawMessage   `json:"value,omitempty"`
	Values    []json.RawMessage `json:"values,omitempty"`
}

func (w wish) allowed() []string {
	var all []string
	for _, raw := range append(slices.Clone(w.Values), w.Value) {
		var s string
		if len(raw) > 0 && json.Unmarshal(raw, &s) == nil {
			all = append(all, s)
		}
	}
	return all
}

// Wanted is a claim of the person that a client asks for.
type Wanted struct {
	Name      string `json:"name"`
	Essential bool   `json:"essential,omitempty"`
	IDToken   bool   `json:"id_token,omitempty"` // else at the userinfo endpoint
}

// wants is what a request asks of claims.
type wants struct {
	claims []Wanted
	acr    []string // of which one is essential
	sub    string   // who must be logged in
}

func (w *wants) add(name string, essential, idToken bool) {
	for i := range w.claims {
		if w.claims[i].Name == name {
			w.claims[i].Essential = w.claims[i].Essential || essential
			w.claims[i].IDToken = w.claims[i].IDToken || idToken
			return
		}
	}
	w.claims = append(w.claims, Wanted{name, essential, idToken})
}

// wantsOf reads scopes and the parameter claims. Claims that are not known are left out, as Core §5.5 says.
func wantsOf(scopes []string, raw string) (w wants, err error) {
	for _, s := range scopes {
		for _, c := range claimsOfScope(s) {
			w.add(c, false, false)
		}
	}
	if raw == "" {
		return w, w.check()
	}
	var asked struct {
		UserInfo map[string]*wish `json:"userinfo"`
		IDToken  map[string]*wish `json:"id_token"`
	}
	if len(raw) > 4000 || json.Unmarshal([]byte(raw), &asked) != nil {
		return w, fault(invalidRequest, "claims is no JSON object as OpenID Connect Core 5.5 has it")
	}
	for part, members := range map[bool]map[string]*wish{false: asked.UserInfo, true: asked.IDToken} {
		for name, m := range members {
			if m == nil {
				m = &wish{}
			}
			if _, ok := item(name); ok {
				w.add(name, m.Essential, part)
			}
			if name == "acr" && part && m.Essential {
				w.acr = m.allowed()
			}
			if all := m.allowed(); name == "sub" && len(all) > 0 {
				w.sub = all[0]
			}
		}
	}
	slices.SortFunc(w.claims, func(a, b Wanted) int { return strings.Compare(order(a.Name), order(b.Name)) })
	return w, w.check()
}

// order sorts claims as people read them.
func order(name string) string {
	if i := slices.Index(itemClaims, name); i >= 0 {
		return strconv.Itoa(i)
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(name, "age_over_"))
	return fmt.Sprintf("9%03d", n)
}

func (w wants) check() error {
	ages := 0
	for _, c := range w.claims {
		if ageClaim.MatchString(c.Name) {
			ages++
		}
	}
	if ages > maxAges {
		return fault(invalidRequest, "at most %d claims age_over_N in one request: more would tell the age", maxAges)
	}
	return nil
}

// Authentication contexts. A card's signature with the authentication key after its PIN is aal3 (a tamper-proof device in hand,
// and what its holder knows); crl says that status was asked of the revocation list. What the state's service means by its value crl
// is not published, so this is our reading of it.
const (
	acrAAL3 = "aal3"
	acrCRL  = "crl"
)

var acrs = []string{acrAAL3, acrCRL, acrAAL3 + " " + acrCRL}

// acrOf gives what the ID token says for what was asked: the values that are known, in the order asked, else aal3.
func acrOf(asked []string) string {
	var met []string
	for _, a := range asked {
		if (a == acrAAL3 || a == acrCRL) && !slices.Contains(met, a) {
			met = append(met, a)
		}
	}
	if len(met) == 0 {
		return acrAAL3
	}
	return strings.Join(met, " ")
}

// given are the claims of a person as the holder told them, by the names that clients know.
type given map[string]string

// forClient gives the claims of a person in the forms of an issuer: those of Core §5.1, or of the state's service, whose
// birthdate is 19850315 and whose gender is a code (as far as implementers tell; its documents do not).
func (g given) forClient(i issuer, names []string) map[string]any {
	out := map[string]any{}
	for _, name := range names {
		v, ok := g[name]
		if !ok {
			continue
		}
		switch {
		case ageClaim.MatchString(name):
			out[name] = v == "true"
		case name == "address" && !i.state:
			out[name] = map[string]string{"formatted": v}
		case name == "birthdate" && i.state:
			out[name] = strings.ReplaceAll(v, "-", "")
		case name == "gender" && !i.state:
			out[name] = genders[v]
		default:
			out[name] = v
		}
	}
	return out
}

// genders are the words for the codes on the card (JIS X 0303).
var genders = map[string]string{"1": "male", "2": "female", "3": "other"}
