package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// ldapPage is how many entries a server is asked for at a time.
const ldapPage = 200

func init() {
	ber.MaxPacketLengthBytes = defaultMaxAll // the library's own bound is 2 GiB; each connection has its own below
	ber.MaxNestingDepth = 50
}

// search gets lists by LDAP (RFC 4511, 4523), without a name or password. Referrals are not followed.
func (f *Fetcher) search(ctx context.Context, p Place) ([][]byte, error) {
	conn, err := f.dial(ctx, p)
	if err != nil {
		return nil, err
	}
	l := ldap.NewConn(conn, p.Secure)
	l.Start()
	defer l.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	seconds := 0
	if end, ok := ctx.Deadline(); ok {
		left := time.Until(end)
		seconds = max(1, int(left.Seconds()))
		l.SetTimeout(left + time.Second) // ctx ends first, and says so
	}
	q := ldap.NewSearchRequest(p.DN, p.Scope, ldap.NeverDerefAliases, 0, seconds, false, p.Filter, []string{p.Attribute}, nil)
	var r *ldap.SearchResult
	if p.Scope == ldap.ScopeBaseObject {
		r, err = l.Search(q)
	} else {
		r, err = l.SearchWithPaging(q, ldapPage)
	}
	switch {
	case conn.over.Load():
		return nil, fmt.Errorf("the answer is larger than %d bytes", conn.limit)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return nil, errors.New("the directory has no entry of this name")
	case err != nil:
		return nil, err
	}
	return listsOf(r, p.Attribute)
}

// listsOf takes the lists out of the entries. Their names may come with or without ";binary".
func listsOf(r *ldap.SearchResult, attribute string) (lists [][]byte, err error) {
	want, _, _ := strings.Cut(attribute, ";")
	for _, e := range r.Entries {
		for _, a := range e.Attributes {
			if name, _, _ := strings.Cut(a.Name, ";"); !strings.EqualFold(name, want) {
				continue
			}
			for _, v := range a.ByteValues {
				if len(lists) == maxLists {
					return nil, fmt.Errorf("the answer has more than %d lists", maxLists)
				}
				if len(v) > 0 {
					lists = append(lists, v)
				}
			}
		}
	}
	return lists, nil
}

// dial connects to an LDAP server; whatever it sends is bounded in sum.
func (f *Fetcher) dial(ctx context.Context, p Place) (*boundedConn, error) {
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", p.Host)
	if err != nil {
		return nil, err
	}
	limit := f.MaxAll
	if limit <= 0 {
		limit = defaultMaxAll
	}
	if end, ok := ctx.Deadline(); ok {
		raw.SetDeadline(end)
	}
	if !p.Secure {
		return &boundedConn{Conn: raw, limit: limit}, nil
	}
	host, _, _ := net.SplitHostPort(p.Host)
	secure := tls.Client(raw, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return &boundedConn{Conn: secure, limit: limit}, nil
}

// boundedConn ends when more was read than it may.
type boundedConn struct {
	net.Conn
	limit int64
	read  atomic.Int64
	over  atomic.Bool
}

func (c *boundedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.read.Add(int64(n)) > c.limit {
		c.over.Store(true)
		c.Conn.Close()
		return 0, errors.New("the answer is too large")
	}
	return n, err
}
