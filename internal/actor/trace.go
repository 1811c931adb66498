package actor

import (
	"github.com/jitsuin/jitsuin/internal/httpapi"
	"github.com/jitsuin/jitsuin/internal/trace"
)

// TraceFor has an API of this actor remember its exchanges under an instance's name, if the
// configuration says so; the console may read them.
func (a *Actor) TraceFor(instance string, api *httpapi.API) {
	if a.Config.Trace {
		api.Trace(trace.New(instance, a.Clock.Now), httpapi.Roles("country"), endWithActor)
	}
}
