// Package tlslogin is the port at which a browser logs in by showing the card's certificate itself, in a TLS handshake (RFC 5246 §7.4.6),
// as it can where it reaches the card by a PKCS#11 module. It is the second way beside the holder (package errand), on an HTTPS port of its
// own, since a browser is asked for certificates by port:
//
//	a.AlsoServeTLS(address, port.Handler(), port.TLS(), tlslogin.Patience)
//
// A browser comes with a handle that serves once, and is led back to the platform's pages, whatever it showed. So the port has no page
// and no cookie of its own, and a certificate that is refused is refused by a page and not by a broken connection.
//
// It owns the port's certificate where the platform draws one itself, and the words for what a certificate was refused for. It has no
// database, judges no certificate and knows nobody: Port.Present does.
package tlslogin
