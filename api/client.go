package api

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

const (
	dialTimeout   = 10 * time.Second
	answerTimeout = rota.MaxWait + 30*time.Second // from the request to the answer's headers
	idleConns     = 256                           // kept open for the next call
	clientIdle    = idleTimeout / 2               // before the server's: none is closed as it is used again
)

var _ rota.Service = (*Client)(nil)

// Client is a rota.Service at the other end of a connection. It may be used by many goroutines at once. The
// principal of a call's context does not travel: the server knows who asks by the token or the socket.
type Client struct {
	transport transport
	base      url.URL
	auth      []string // the Authorization header; none: none is sent
	local     bool     // over a unix socket
	where     string   // for a person: the socket's path or the server's URL
}

// transport carries requests: a socketTransport, or net/http's.
type transport interface {
	http.RoundTripper
	CloseIdleConnections()
}

// Dial is a client of the node whose socket is at a path (SocketPath). It connects with the first call.
func Dial(socket string) *Client {
	t := &socketTransport{path: socket, dialer: net.Dialer{Timeout: dialTimeout}}
	return &Client{transport: t, base: url.URL{Scheme: "http", Host: "rota"}, local: true, where: socket}
}

// Connect is a client of the server at a URL, with a token; an empty one is not sent. It connects with the first
// call. A token is never sent in the clear to another machine.
func Connect(server, token string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, rota.Invalid("server %q: not an address", server).WithFix("write for example https://rota.example.org or http://127.0.0.1:2691")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, rota.Invalid("server %q: an address has no user, query or fragment", u.Redacted()).WithFix("give the token as ROTA_TOKEN")
	}
	if token != "" && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return nil, rota.Invalid("server %q: the token would cross the network in the clear", server).WithFix("use https://%s", u.Host)
	}
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		MaxIdleConnsPerHost:   idleConns,
		IdleConnTimeout:       clientIdle,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: answerTimeout,
		DisableCompression:    true,
		ForceAttemptHTTP2:     true,
	}
	c := &Client{transport: t, base: url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(u.Path, "/")}, where: server}
	return c.WithToken(token), nil
}

// WithToken is the same client in the name of a token's bearer: over the socket, that is how a job asks (S1). It
// shares the connections.
func (c *Client) WithToken(token string) *Client {
	other := *c
	other.auth = nil
	if token != "" {
		other.auth = []string{"Bearer " + token}
	}
	return &other
}

// Close closes the connections that are not in use.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
