// Package httpapi is how actors offer HTTP and call each other.
//
// It owns: routes that register only with an access policy, the one translation between
// jitsuin.Error and RFC 9457 problems, request ids through the whole chain, the signed
// directory of instances, RFC 7523 assertions and the five-minute access tokens they buy,
// and requests that take effect once (Idempotency-Key). It never knows what an actor does.
package httpapi
