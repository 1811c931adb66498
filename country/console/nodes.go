package console

import (
	"strings"

	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/web"
)

// The nodes of the map that are no instances: residents with their browsers and programs, and those who
// check signatures by themselves.
const (
	personNode   = "person"
	verifierNode = "verifier"
)

// place is where on the map somebody is: a node, and there at the desk if it is a person who works for it.
type place struct {
	node string
	desk bool
}

// place finds an instance on the map.
func (c *Console) place(id string) place {
	role, rest, _ := strings.Cut(id, ":")
	switch role {
	case "counter":
		return place{"municipality:" + rest, true}
	case "official":
		return place{c.only("minister"), true}
	case "operator":
		return place{c.only("platform"), true}
	case "tenant":
		if _, err := c.Directory.Lookup("service:" + rest); err == nil {
			return place{"service:" + rest, false}
		}
		return place{verifierNode, false}
	case "verifier":
		return place{verifierNode, false}
	case "holder": // also a program of the holder's that asks for a card
		return place{c.only("holder"), false}
	}
	if i, err := c.Directory.Lookup(id); err == nil && i.Origin != "" {
		return place{id, false}
	}
	return place{personNode, false}
}

// only gives the one instance of a role.
func (c *Console) only(role string) string {
	for _, i := range c.Directory.Role(role) {
		return i.ID
	}
	return personNode
}

// accents are the colours of the roles.
var accents = map[string]string{"municipality": "green", "jukinet": "cyan", "jlis": "blue", "status": "blue", "minister": "gray",
	"platform": "purple", "tsa": "teal", "service": "orange", "cards": "teal", "country": "gray", "holder": "navy", personNode: "navy", verifierNode: "navy"}

func accentOf(node string) string { return accents[httpapi.RoleOf(node)] }

// name is what people call somebody.
func (c *Console) name(l web.Lang, id string) string {
	role, rest, _ := strings.Cut(id, ":")
	switch {
	case id == "":
		role = personNode
	case role == "counter":
		return web.Text(l, "consolemap.name.counter", "town", c.name(l, "municipality:"+rest))
	case role == "tenant":
		return c.name(l, "service:"+rest)
	case l == web.EN && c.cfg.NamesEN[id] != "":
		return c.cfg.NamesEN[id]
	case c.cfg.Names[id] != "":
		return c.cfg.Names[id]
	}
	if key := "consolemap.name." + role; web.Has(key) {
		return web.Text(l, key)
	}
	return id
}

// arrowOf names the arrow between two places; reverse tells that the message goes against its direction.
func arrowOf(from, to place) (key string, reverse bool) {
	if from.node == to.node {
		return from.node + "~" + from.node, to.desk
	}
	if from.node > to.node {
		return to.node + "~" + from.node, true
	}
	return from.node + "~" + to.node, false
}
