package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"time"

	"github.com/jitsuin/jitsuin/country"
)

// tlsSoon is how long before its end a port's certificate is spoken of.
const tlsSoon = 14 * 24 * time.Hour

// tlsPort looks at the port at which browsers show a card's certificate: at the certificate that it shows them while it runs, else at the one
// in its files.
func (p *patient) tlsPort(ctx context.Context, s country.Settings, running bool) {
	port := s.TLS
	if port.Listen == "" {
		return
	}
	var shown *x509.Certificate
	if port.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(port.Certificate, port.Key)
		if err != nil {
			p.wrong("tls-broken", p.name(port.Certificate), s.Instance, plain(err))
			return
		}
		shown = pair.Leaf
	}
	if !running {
		p.free(ctx, s.Instance, port.Listen)
	} else {
		var err error
		if shown, err = p.handshake(ctx, port); err != nil {
			p.wrong("tls-silent", s.Instance, port.Listen, plain(err))
			return
		}
	}
	if shown == nil {
		return // of its own making, at its next start
	}
	switch now := p.Now(); {
	case !now.Before(shown.NotAfter), now.Before(shown.NotBefore):
		p.wrong("tls-over", s.Instance, shown.NotBefore.Format(time.DateOnly), shown.NotAfter.Format(time.DateOnly))
	case shown.VerifyHostname(port.Host) != nil:
		p.wrong("tls-name", s.Instance, port.Host)
	case shown.NotAfter.Sub(now) < tlsSoon:
		p.note("tls-soon", s.Instance, shown.NotAfter.Format(time.DateOnly))
	default:
		p.well("tls", s.Instance, port.Listen, shown.NotAfter.Format(time.DateOnly))
	}
}

// handshake gives the certificate that a port shows. Whether browsers trust it is theirs to say.
func (p *patient) handshake(ctx context.Context, port country.TLSPort) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", port.Listen)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	c := tls.Client(conn, &tls.Config{ServerName: port.Host, InsecureSkipVerify: true})
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return c.ConnectionState().PeerCertificates[0], nil
}
