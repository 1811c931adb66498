package console

import (
	"fmt"
	"math"
	"strings"

	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// box is a node in a picture: its middle and its size.
type box struct{ X, Y, W, H float64 }

// port is where an arrow touches a box: a side (l, r, t, b) and how far along it, 0 to 1.
type port struct {
	side byte
	at   float64
}

func (b box) point(p port) (x, y, nx, ny float64) {
	switch p.side {
	case 'l':
		return b.X - b.W/2, b.Y + (p.at-0.5)*b.H, -1, 0
	case 'r':
		return b.X + b.W/2, b.Y + (p.at-0.5)*b.H, 1, 0
	case 't':
		return b.X + (p.at-0.5)*b.W, b.Y - b.H/2, 0, -1
	}
	return b.X + (p.at-0.5)*b.W, b.Y + b.H/2, 0, 1
}

// way is an arrow in the direction of trust: who is relied upon stands at its head. Roles stand for all their nodes.
type way struct {
	from, to string
	out, in  port
	// How far the curve swings at its ends, as a part of the distance.
	bendOut, bendIn float64
}

// picture is one way to lay the map out.
type picture struct {
	Name  string
	W, H  float64
	desk  float64        // the part of a box in which those who work there are
	boxes map[string]box // by role
	towns []box          // by their order; more towns than these are not drawn
	ways  []way
}

// hasDesk tells where people work for the actor.
func hasDesk(role string) bool {
	return role == "municipality" || role == "minister" || role == "platform"
}

// wide is the picture for screens, narrow the one for telephones.
var (
	wide = picture{Name: "wide", W: 1072, H: 480, desk: 58,
		boxes: map[string]box{personNode: {64, 122, 120, 72}, "holder": {64, 286, 120, 60}, "jukinet": {594, 52, 168, 60}, "cards": {594, 262, 168, 60}, "jlis": {806, 156, 180, 68},
			verifierNode: {1002, 52, 132, 60}, "status": {984, 270, 168, 60}, "tsa": {64, 430, 120, 60}, "service": {290, 430, 212, 64}, "platform": {572, 430, 224, 64},
			"minister": {838, 430, 196, 64}, "country": {1008, 430, 120, 64}},
		towns: []box{{290, 40, 212, 60}, {290, 122, 212, 60}, {290, 204, 212, 60}, {290, 286, 212, 60}},
		ways: []way{
			{personNode, "municipality", port{'r', .4}, port{'l', .5}, .45, .5},
			{"municipality", "jukinet", port{'r', .3}, port{'l', .5}, .3, .6},
			{"municipality", "cards", port{'r', .7}, port{'l', .5}, .3, .6},
			{"municipality", "jlis", port{'r', .5}, port{'l', .5}, .12, .72},
			{"jukinet", "jlis", port{'r', .5}, port{'t', .4}, .5, .5},
			{"jlis", "cards", port{'b', .15}, port{'r', .5}, .4, .4},
			{"jlis", "status", port{'r', .7}, port{'t', .4}, .5, .4},
			{personNode, "holder", port{'b', .4}, port{'t', .4}, .3, .3},
			{personNode, "service", port{'r', .85}, port{'l', .4}, .12, .15},
			{personNode, "tsa", port{'r', .95}, port{'r', .3}, .1, .1},
			{"service", "tsa", port{'l', .8}, port{'r', .7}, .3, .3},
			{"holder", "service", port{'b', .5}, port{'l', .6}, .5, .5},
			{"holder", "cards", port{'b', .85}, port{'b', .3}, .2, .22},
			{"service", "platform", port{'r', .5}, port{'l', .5}, .3, .3},
			{"platform", "status", port{'t', .85}, port{'l', .6}, .3, .5},
			{"platform", "jlis", port{'t', .6}, port{'b', .45}, .4, .4},
			{"minister", "platform", port{'l', .5}, port{'r', .5}, .3, .3},
			{"minister", "jlis", port{'t', .3}, port{'b', .7}, .35, .35},
			{verifierNode, "status", port{'b', .6}, port{'t', .72}, .4, .4},
			{verifierNode, "jlis", port{'l', .5}, port{'t', .75}, .4, .4},
		}}
	narrow = picture{Name: "narrow", W: 332, H: 844, desk: 36,
		boxes: map[string]box{personNode: {96, 40, 132, 60}, "holder": {250, 40, 140, 60}, "jukinet": {88, 318, 136, 60}, "cards": {242, 318, 150, 60}, "jlis": {164, 426, 172, 64},
			"status": {86, 530, 148, 60}, verifierNode: {250, 530, 132, 60}, "platform": {92, 632, 180, 60}, "minister": {264, 632, 132, 60},
			"service": {96, 724, 156, 60}, "country": {258, 724, 132, 60}, "tsa": {96, 808, 156, 60}},
		towns: []box{{82, 146, 160, 60}, {250, 146, 160, 60}, {82, 222, 160, 60}, {250, 222, 160, 60}},
		ways: []way{
			{personNode, "municipality", port{'b', .5}, port{'t', .5}, .4, .4},
			{"municipality", "jukinet", port{'b', .4}, port{'t', .5}, .4, .4},
			{"municipality", "cards", port{'b', .6}, port{'t', .5}, .4, .4},
			{"municipality", "jlis", port{'b', .5}, port{'t', .5}, .5, .5},
			{"jukinet", "jlis", port{'b', .6}, port{'t', .2}, .4, .4},
			{"jlis", "cards", port{'t', .8}, port{'b', .5}, .4, .4},
			{"jlis", "status", port{'b', .25}, port{'t', .5}, .4, .4},
			{personNode, "service", port{'l', .5}, port{'l', .5}, .04, .04},
			{personNode, "tsa", port{'l', .3}, port{'l', .5}, .045, .045},
			{"service", "tsa", port{'b', .5}, port{'t', .5}, .4, .4},
			{personNode, "holder", port{'r', .5}, port{'l', .5}, .3, .3},
			{"holder", "cards", port{'r', .5}, port{'r', .5}, .03, .04},
			{"service", "platform", port{'t', .5}, port{'b', .45}, .4, .4},
			{"platform", "status", port{'t', .4}, port{'b', .5}, .4, .4},
			{"platform", "jlis", port{'t', .9}, port{'b', .5}, .4, .4},
			{"minister", "platform", port{'l', .5}, port{'r', .5}, .3, .3},
			{"minister", "jlis", port{'t', .2}, port{'b', .65}, .4, .4},
			{verifierNode, "status", port{'l', .5}, port{'r', .5}, .3, .3},
			{verifierNode, "jlis", port{'t', .5}, port{'b', .85}, .4, .4},
		}}
)

// arrow is one line of the map, ready to be drawn.
type arrow struct {
	Key, A, B string // nodes in the order of the key
	D         string // of the path, from A to B
	Head      bool   // the head stands at B; otherwise at A
	Desk      bool   // within a box
}

// drawnNode is one box of the map, ready to be drawn.
type drawnNode struct {
	ID, Role, Accent string
	Box              box
	X, Y             float64 // top left
	Desk             bool
	DeskX, TextX     float64 // middles of desk and text
	DivideX          float64 // where the desk ends
}

// draw lays nodes and arrows out. nodes are ids in the order in which they are drawn.
func (p picture) draw(nodes []string) (drawn []drawnNode, arrows []arrow) {
	boxes, town := map[string]box{}, 0
	for _, id := range nodes {
		role := httpapi.RoleOf(id)
		b, ok := p.boxes[role]
		if role == "municipality" && town < len(p.towns) {
			b, ok = p.towns[town], true
			town++
		}
		if _, taken := boxes[id]; !ok || taken {
			continue
		}
		boxes[id] = b
		n := drawnNode{ID: id, Role: role, Accent: accentOf(id), Box: b, X: b.X - b.W/2, Y: b.Y - b.H/2, Desk: hasDesk(role), TextX: b.X}
		if n.Desk {
			n.DeskX, n.TextX, n.DivideX = n.X+p.desk/2, b.X+p.desk/2, n.X+p.desk
			arrows = append(arrows, arrow{Key: id + "~" + id, A: id, B: id, Desk: true,
				D: fmt.Sprintf("M%.0f %.0fL%.0f %.0f", n.DeskX, b.Y+b.H/2-8, n.TextX, b.Y+b.H/2-8)})
		}
		drawn = append(drawn, n)
	}
	for _, w := range p.ways {
		for _, from := range nodes {
			for _, to := range nodes {
				a, okA := boxes[from]
				b, okB := boxes[to]
				if okA && okB && httpapi.RoleOf(from) == w.from && httpapi.RoleOf(to) == w.to {
					arrows = append(arrows, w.arrow(from, to, a, b))
				}
			}
		}
	}
	return drawn, arrows
}

// arrow draws the curve from the node that comes first in the key.
func (w way) arrow(from, to string, a, b box) arrow {
	key, reverse := arrowOf(place{node: from}, place{node: to})
	out := arrow{Key: key, A: from, B: to, Head: !reverse}
	p, q, first, last := w.out, w.in, w.bendOut, w.bendIn
	if reverse {
		out.A, out.B, a, b, p, q, first, last = to, from, b, a, q, p, last, first
	}
	x1, y1, nx1, ny1 := a.point(p)
	x2, y2, nx2, ny2 := b.point(q)
	far := math.Hypot(x2-x1, y2-y1)
	first, last = first*far, last*far
	var d strings.Builder
	fmt.Fprintf(&d, "M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f", x1, y1, x1+nx1*first, y1+ny1*first, x2+nx2*last, y2+ny2*last, x2, y2)
	out.D = d.String()
	return out
}
