package trace

import "strings"

// Housekeeping says what keeps the actors going and is no message between them, by a word for its kind;
// "" is a message. It is the one place that decides this: for the memory, the map and its test.
//
// A feed that was read in vain is housekeeping, one that brought events is a message for each, and one
// that was refused is a message.
func Housekeeping(e Entry) string {
	method, route, _ := strings.Cut(e.Route, " ")
	if route == "" {
		method, route = e.Method, e.Path
	}
	switch {
	case route == "/token":
		return "token"
	case route == "/healthz", route == "/readyz", route == "/metrics":
		return "health"
	case route == "/clock" && method == "GET":
		return "clock"
	case route == "/feeds", strings.HasSuffix(route, "/head") && strings.HasPrefix(route, "/feeds/"):
		return "feeds"
	case method == "GET" && (route == "/desk" || strings.HasSuffix(route, "/desk") || strings.HasPrefix(route, "/counter/") && strings.HasSuffix(route, "/live")):
		return "desk" // a counter's page waits for something to happen
	case route == "/feeds/{topic}" && len(e.Events) == 0 && e.Status < 400:
		return "feeds"
	case strings.HasPrefix(route, "/trace"), route == "/upcoming":
		return "trace"
	case strings.HasPrefix(route, "/assets/"), route == "/openapi.json", route == "/openapi.yaml", route == "/favicon.ico":
		return "assets"
	case method == "GET" && strings.HasSuffix(route, "/live"):
		return "live" // a page that is open keeps itself up to date
	case method == "GET" && strings.HasPrefix(route, "/v1/faults/"):
		return "console" // a page shows whether a card goes wrong on purpose
	case method == "GET" && strings.HasPrefix(e.Actor, "country:") && !strings.HasPrefix(route, "/feeds/"):
		return "console" // somebody looks at the country from outside
	}
	return ""
}
