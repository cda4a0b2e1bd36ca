package api

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rotaqueue/rota"
)

// mayReturn reports whether a call that failed so may succeed a moment later: the connection broke. Where nobody
// listens, or nobody lets us in, or it is not whom we want, asking again at once is no use.
func mayReturn(err error) bool {
	var another *pinError
	var unknown *tls.CertificateVerificationError
	if errors.As(err, &another) || errors.As(err, &unknown) {
		return false
	}
	for _, hopeless := range []error{syscall.ECONNREFUSED, fs.ErrNotExist, fs.ErrPermission, syscall.EINVAL, syscall.ENAMETOOLONG} {
		if errors.Is(err, hopeless) {
			return false
		}
	}
	return true
}

// unreachable is what a person is told when no answer came.
func (c *Client) unreachable(call *call, err error) error {
	if wrong := c.distrusted(err); wrong != nil {
		return wrong
	}
	switch {
	case c.local && errors.Is(err, fs.ErrPermission):
		return c.foreign()
	case c.local && !mayReturn(err):
		return rota.Errorf(rota.ErrUnavailable, "no node runs here: nobody listens on %s", c.where).WithFix("rota up")
	case errors.Is(err, syscall.ECONNREFUSED):
		return rota.Errorf(rota.ErrUnavailable, "nobody listens at %s", c.where).WithFix("start a node there (rota up), or check the address")
	case call.again:
		return rota.Errorf(rota.ErrUnavailable, "%s does not answer: %v", c.where, err).WithFix("check the address and the node's log")
	}
	return rota.Errorf(rota.ErrUnavailable, "the connection to %s broke before the answer came: %v", c.where, err).
		WithFix("look whether it was done before you try again")
}

// foreign is the error of a socket that is another user's.
func (c *Client) foreign() error {
	info, err := os.Stat(c.where)
	if err != nil {
		info, err = os.Stat(filepath.Dir(c.where)) // the folder itself is closed to us
	}
	if err != nil {
		return rota.Errorf(rota.ErrDenied, "%s: another user's", c.where).WithFix("run your own node: rota up")
	}
	return notYours(ownerOf(info))
}
