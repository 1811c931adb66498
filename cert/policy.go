package cert

import (
	"encoding/asn1"
	"slices"
)

// policyNode is a node of the valid policy tree. Nodes of one depth with one valid policy have one
// expected set, so they are kept as one with several parents: the tree becomes a graph whose size is
// linear in that of the certificates, where a tree is exponential.
type policyNode struct {
	valid    string
	expected []string // nil: the valid policy itself
	parents  []*policyNode
	live     bool // has a descendant at the last depth
}

// policyState is the state of §6.1.2 and the graph so far. level is nil once there is no valid policy.
type policyState struct {
	levels                     [][]*policyNode
	explicit, mapping, inhibit int
}

func newPolicyState(n int, in PolicyInputs) *policyState {
	s := &policyState{levels: [][]*policyNode{{{valid: anyPolicyDER}}}, explicit: n + 1, mapping: n + 1, inhibit: n + 1}
	if in.RequireExplicit {
		s.explicit = 0
	}
	if in.InhibitMapping {
		s.mapping = 0
	}
	if in.InhibitAny {
		s.inhibit = 0
	}
	return s
}

// anchor applies what the anchor's certificate says of policies, as if it were the first certificate of the path
// (compare RFC 5937 §3); without policies it allows all.
func (s *policyState) anchor(d *details) bool {
	if d.has(extPolicies) {
		s.enter(d, false)
	}
	if !s.mapPolicies(d.mappings) {
		return false
	}
	s.constrain(d)
	return true
}

// checkPolicies is §6.1.3 d to f, §6.1.4 a, b, h to j and §6.1.5 over a path, leaf first. It gives
// the policies for which the path is valid; any means all. depth is that of the offender.
func checkPolicies(path []*details, in PolicyInputs) (policies []string, any bool, depth int, problem string) {
	n := len(path) - 1
	s := newPolicyState(n, in)
	user := userPolicies(in)
	if n > 0 && !s.anchor(path[n]) {
		return nil, false, n, "a policy mapping to or from anyPolicy"
	}
	for i := n - 1; i >= 0; i-- {
		d := path[i]
		s.enter(d, i == 0)
		if s.explicit == 0 && s.top() == nil {
			return nil, false, i, "no policy that is required holds for the whole path"
		}
		if i == 0 {
			break
		}
		if !s.prepare(d) {
			return nil, false, i, "a policy mapping to or from anyPolicy"
		}
	}
	// §6.1.5 a and b
	if s.explicit > 0 && n > 0 {
		s.explicit--
	}
	if path[0].explicit == 0 {
		s.explicit = 0
	}
	policies, any = s.result(user)
	if s.explicit == 0 && len(policies) == 0 && !any {
		return nil, false, 0, "the path is valid for none of the policies that are asked for"
	}
	return policies, any, 0, ""
}

// userPolicies gives the user-initial-policy-set, nil for any.
func userPolicies(in PolicyInputs) (user []string) {
	for _, id := range in.Initial {
		der, ok := oidContents(id)
		if !ok {
			continue
		}
		if der == anyPolicyDER {
			return nil
		}
		user = append(user, der)
	}
	if user == nil && len(in.Initial) > 0 {
		return []string{""} // none that exists
	}
	return user
}

func oidContents(id asn1.ObjectIdentifier) (string, bool) {
	der, err := asn1.Marshal(id)
	if err != nil || len(der) < 3 || der[1] >= 0x80 {
		return "", false
	}
	return string(der[2:]), true
}

// top is the deepest level, nil if the tree is.
func (s *policyState) top() []*policyNode { return s.levels[len(s.levels)-1] }

// enter makes the level of a certificate (§6.1.3 d and e).
func (s *policyState) enter(d *details, leaf bool) {
	above := s.top()
	if above == nil || !d.has(extPolicies) {
		s.levels = append(s.levels, nil)
		return
	}
	expecting, anyNode := map[string][]*policyNode{}, (*policyNode)(nil)
	var order []string
	expect := func(p string, n *policyNode) {
		if expecting[p] == nil {
			order = append(order, p)
		}
		expecting[p] = append(expecting[p], n)
	}
	for _, n := range above {
		switch {
		case n.valid == anyPolicyDER:
			anyNode = n
		case n.expected == nil:
			expect(n.valid, n)
		default:
			for _, p := range n.expected {
				expect(p, n)
			}
		}
	}
	var level []*policyNode
	done := map[string]bool{}
	for _, p := range d.policies {
		parents := expecting[p]
		if parents == nil && anyNode != nil {
			parents = []*policyNode{anyNode}
		}
		if done[p] = true; parents != nil {
			level = append(level, &policyNode{valid: p, parents: parents})
		}
	}
	if d.anyPolicy && (s.inhibit > 0 || !leaf && d.selfIssued) {
		for _, p := range order {
			if !done[p] {
				level = append(level, &policyNode{valid: p, parents: expecting[p]})
			}
		}
		if anyNode != nil {
			level = append(level, &policyNode{valid: anyPolicyDER, parents: []*policyNode{anyNode}})
		}
	}
	s.levels = append(s.levels, level)
}

// prepare is §6.1.4 for policies: mappings, then counters.
func (s *policyState) prepare(d *details) bool {
	if !s.mapPolicies(d.mappings) {
		return false
	}
	if !d.selfIssued {
		for _, counter := range []*int{&s.explicit, &s.mapping, &s.inhibit} {
			if *counter > 0 {
				*counter--
			}
		}
	}
	s.constrain(d)
	return true
}

func (s *policyState) constrain(d *details) {
	for _, c := range []struct {
		counter *int
		skip    int
	}{{&s.explicit, d.explicit}, {&s.mapping, d.mapping}, {&s.inhibit, d.inhibit}} {
		if c.skip >= 0 && c.skip < *c.counter {
			*c.counter = c.skip
		}
	}
}

// mapPolicies is §6.1.4 a and b.
func (s *policyState) mapPolicies(mappings []policyMapping) bool {
	if len(mappings) == 0 {
		return true
	}
	to := map[string][]string{}
	var order []string
	for _, m := range mappings {
		if m.from == anyPolicyDER || m.to == anyPolicyDER {
			return false
		}
		if to[m.from] == nil {
			order = append(order, m.from)
		}
		if !slices.Contains(to[m.from], m.to) {
			to[m.from] = append(to[m.from], m.to)
		}
	}
	level := s.top()
	if level == nil {
		return true
	}
	if s.mapping == 0 {
		level = slices.DeleteFunc(level, func(n *policyNode) bool { return to[n.valid] != nil })
		if len(level) == 0 {
			level = nil
		}
		s.levels[len(s.levels)-1] = level
		return true
	}
	var anyNode *policyNode
	have := map[string]bool{}
	for _, n := range level {
		have[n.valid] = true
		if n.valid == anyPolicyDER {
			anyNode = n
		}
		if mapped := to[n.valid]; mapped != nil {
			n.expected = mapped
		}
	}
	for _, p := range order {
		if anyNode != nil && !have[p] {
			level = append(level, &policyNode{valid: p, expected: to[p], parents: anyNode.parents})
		}
	}
	s.levels[len(s.levels)-1] = level
	return true
}

// result is §6.1.5 g: the authority's policies that the user takes. user nil takes any.
func (s *policyState) result(user []string) (policies []string, any bool) {
	for _, n := range s.top() {
		n.live = true
		any = any || n.valid == anyPolicyDER
	}
	if any && user != nil {
		return user, false
	}
	for i := len(s.levels) - 1; i > 0; i-- {
		for _, n := range s.levels[i] {
			if !n.live {
				continue
			}
			for _, p := range n.parents {
				p.live = true
				if p.valid == anyPolicyDER && n.valid != anyPolicyDER && (user == nil || slices.Contains(user, n.valid)) {
					policies = append(policies, n.valid)
				}
			}
		}
	}
	slices.Sort(policies)
	return slices.Compact(policies), any
}
