// Package openid is the platform's OpenID provider: any client that speaks OpenID Connect logs residents in with the card. It is
// our own on go-jose, because no library in Go has pushed requests (RFC 9126), proofs of possession (RFC 9449) and pairwise
// subjects together with a login that happens elsewhere, at the person's holder.
//
// What it speaks: OpenID Connect Core 1.0 with the authorization code alone (RFC 6749, RFC 9700), PKCE S256 always (RFC 7636), pushed
// requests, DPoP, private_key_jwt (RFC 7523), client_secret_basic and client_secret_post for clients that are registered so, public
// clients, iss in the answer (RFC 9207), registration and its management (RFC 7591, 7592), RP-initiated and back-channel
// logout 1.0. ID tokens are ES256. sub is the tenant's user: random, another at each tenant, the same with the next certificate.
//
// A login always asks the card; only prompt=none is answered from a session, and a session is of one client in one browser, so that
// nobody is logged in at a second client without knowing.
//
// It owns the tables openid_*. It never judges a signature, never sees a certificate and knows no resident: the platform's own
// login code does, and hands in the user (Provider.Accept). Nothing that a relying party gets comes from a certificate.
package openid
