package platform

import (
	"github.com/jitsuin/jitsuin"
)

// pushed counts a try to push an event.
func (c counters) pushed(failed error) {
	outcome := "taken"
	switch jitsuin.CodeOf(failed) {
	case "webhook-answered":
		outcome = "answered"
	case "webhook-address", "webhook-url":
		outcome = "refused"
	case "webhook-unreachable":
		outcome = "unreachable"
	}
	c.pushes.WithLabelValues(outcome).Inc()
}
