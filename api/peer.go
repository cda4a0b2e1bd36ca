package api

import (
	"context"
	"net"
)

// peer is who is at the other end of a connection over the unix socket. Connections over TCP have none.
type peer struct {
	uid int
	err error // why the uid is not known
}

type peerKey struct{}

// withPeer notes the peer of a connection for all its requests.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	p := &peer{}
	p.uid, p.err = peerUID(u)
	return context.WithValue(ctx, peerKey{}, p)
}

// peerOf is the peer of a request's connection, nil for one that came over TCP.
func peerOf(ctx context.Context) *peer {
	p, _ := ctx.Value(peerKey{}).(*peer)
	return p
}

// peerUID asks the kernel who made the connection.
func peerUID(c *net.UnixConn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var uid int
	var asked error
	if err := raw.Control(func(fd uintptr) { uid, asked = socketUID(int(fd)) }); err != nil {
		return 0, err
	}
	return uid, asked
}
