package keeper

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/rotaqueue/rota"
)

// Listen makes the socket of a keeper, for its own user and nobody else: mode 0600, in a folder that is made, if need
// be, and must be 0700. What is already there is taken for the socket of a dead keeper and removed, so the caller must
// hold the data folder's lock (P26). The socket stays when the listener is closed: it goes with its folder.
func Listen(path string) (*net.UnixListener, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "folder of the keeper's socket: %v", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "folder of the keeper's socket: %v", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, rota.Errorf(rota.ErrDenied, "folder %s: others may enter it, so it holds no keeper's socket", dir).WithFix("chmod 700 %s", dir)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, rota.Errorf(rota.ErrUnavailable, "socket of an earlier keeper: %v", err)
	}
	short, done, err := shorten(path)
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "socket of the keeper: %v", err)
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "socket of the keeper: %v", err)
	}
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, rota.Errorf(rota.ErrUnavailable, "socket of the keeper: %v", err)
	}
	return l, nil
}

// checkPeer refuses what is not of the keeper's own user, or root. A connection that is no unix socket has no user.
func checkPeer(c net.Conn) error {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nil
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return err
	}
	var uid int
	var asked error
	if err := raw.Control(func(fd uintptr) { uid, asked = peerUID(int(fd)) }); err != nil {
		return err
	}
	if asked != nil {
		return asked
	}
	if own := os.Getuid(); uid != own && uid != 0 {
		return rota.Errorf(rota.ErrDenied, "user %d is at the other end of the keeper's socket, which is user %d's", uid, own)
	}
	return nil
}
