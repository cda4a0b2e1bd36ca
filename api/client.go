package api

import (
	"net"
	"net/http"
	"net/url"
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

// Connect is a client of the server at an address, with a token; an empty one is not sent. It connects with the first
// call. A token is never sent in the clear to another machine, nor to one that is not the server it was meant for.
func Connect(address, token string) (*Client, error) {
	c, t, err := connect(address, token)
	if err == nil {
		t.ForceAttemptHTTP2 = true
	}
	return c, err
}

// ConnectEach is Connect for who cannot wait: each call that is under way has a connection of its own, so that one that
// hangs holds up no other, and is closed with the call that gave up on it. One that is idle and cut is noticed in half a
// minute.
func ConnectEach(address, token string) (*Client, error) {
	c, t, err := connect(address, token)
	if err == nil {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP1(true)
		t.DialContext = (&net.Dialer{Timeout: dialTimeout, KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 4}}).DialContext
	}
	return c, err
}

func connect(address, token string) (*Client, *http.Transport, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return nil, nil, err
	}
	if token != "" && a.url.Scheme == "http" && !a.Loopback() {
		return nil, nil, rota.Invalid("server %q: the token would cross the network in the clear", a.url.String()).WithFix("use https://%s", a.url.Host)
	}
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		MaxIdleConnsPerHost:   idleConns,
		IdleConnTimeout:       clientIdle,
		TLSClientConfig:       a.tlsConfig(),
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: answerTimeout,
		DisableCompression:    true,
	}
	c := &Client{transport: t, base: a.url, where: a.url.String()}
	return c.WithToken(token), t, nil
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
