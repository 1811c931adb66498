package actor

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/jitsuin/jitsuin"
	"github.com/jitsuin/jitsuin/internal/feed"
	"github.com/jitsuin/jitsuin/internal/httpapi"
)

// Progress tells how far an actor's feeds have come: GET /feeds.
type Progress struct {
	Sent     []Sent     `json:"sent"`
	Followed []FeedRead `json:"followed"`
}

// Sent is a topic that the actor sends: the position that covers all that is committed.
type Sent struct {
	Topic    string           `json:"topic"`
	Position jitsuin.Position `json:"position"`
}

// FeedRead is a topic that the actor follows.
type FeedRead struct {
	Source  string           `json:"source"`
	Topic   string           `json:"topic"`
	Cursor  jitsuin.Position `json:"cursor"`
	Applied jitsuin.Position `json:"applied" doc:"everything up to here has had its effect; parked events hold it back"`
	Parked  int              `json:"parked"`
	Alarm   string           `json:"alarm,omitempty"`
}

type progressOut struct{ Body Progress }

func (a *Actor) offerProgress() {
	httpapi.Register(a.API, httpapi.Operation{ID: "feeds", Method: http.MethodGet, Path: "/feeds", Summary: "How far the feeds have come",
		Policy: httpapi.Checked("Every instance of the directory", func(_ context.Context, c httpapi.Caller) error {
			if _, err := a.Directory.Lookup(c.ID); err != nil { // a client that this actor alone knows, such as a tenant
				return jitsuin.Errorf(jitsuin.Denied, "not-for-this-caller", "%s may not use this", c.ID)
			}
			return nil
		})}, a.progress)
}

func (a *Actor) progress(ctx context.Context, _ *struct{}) (*progressOut, error) {
	out := &progressOut{Progress{Sent: []Sent{}, Followed: []FeedRead{}}}
	for topic := range a.sender.readers {
		p, err := a.Position(ctx, topic)
		if err != nil {
			return nil, err
		}
		out.Body.Sent = append(out.Body.Sent, Sent{topic, p})
	}
	slices.SortFunc(out.Body.Sent, func(x, y Sent) int { return strings.Compare(x.Topic, y.Topic) })
	for _, f := range a.Readings() {
		h := f.Health
		read := FeedRead{Source: f.Source, Topic: f.Topic, Cursor: h.Cursor, Applied: h.Applied, Parked: h.Parked}
		if h.Alarm != nil {
			read.Alarm = h.Alarm.Error()
		}
		out.Body.Followed = append(out.Body.Followed, read)
	}
	return out, nil
}

// Reading is a feed that the actor follows, with how it is.
type Reading struct {
	Source, Topic string
	Health        feed.Health
}

// Readings gives the feeds that the actor follows, in the order in which they were registered.
func (a *Actor) Readings() []Reading {
	all := make([]Reading, len(a.followed))
	for i, f := range a.followed {
		all[i] = Reading{f.config.Source, f.config.Topic, f.Health()}
	}
	return all
}

// SentIn gives the position of a topic that the actor sends.
func (p Progress) SentIn(topic string) jitsuin.Position {
	for _, s := range p.Sent {
		if s.Topic == topic {
			return s.Position
		}
	}
	return jitsuin.Position{}
}

// AppliedOf gives up to where a followed topic has had its effect.
func (p Progress) AppliedOf(source, topic string) jitsuin.Position {
	for _, f := range p.Followed {
		if f.Source == source && f.Topic == topic {
			return f.Applied
		}
	}
	return jitsuin.Position{}
}
