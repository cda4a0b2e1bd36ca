package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rotaqueue/rota"
)

const (
	socketName = "rota.sock" // in the data folder
	recordName = "socket"    // in the data folder: where the socket is, when it cannot be there
	// maxSocket is the longest path of a socket in bytes. Systems take 104 or 108, and say "invalid argument" to more.
	maxSocket = 100
)

// ListenUnix makes the socket of a data folder's node and listens on it. A folder whose path is too long for that
// gets a socket in a folder of the user's own below the system's temporary folder, whose path is recorded in
// DATA/socket (P26).
//
// The caller must hold the data folder's lock: a socket that is already there is taken for one that a dead node
// left, and removed. Closing the listener removes the socket.
func ListenUnix(dir string) (*net.UnixListener, error) {
	path, recorded, err := placeSocket(dir)
	if err != nil {
		return nil, err
	}
	record := filepath.Join(dir, recordName)
	for _, stale := range []string{path, record} {
		if err := os.Remove(stale); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("remove the socket of an earlier node: %w", err)
		}
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on the socket %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		ln.Close()
		return nil, fmt.Errorf("close the socket to others: %w", err)
	}
	if recorded {
		if err := writeWhole(record, path+"\n"); err != nil {
			ln.Close()
			return nil, fmt.Errorf("record where the socket is: %w", err)
		}
	}
	return ln, nil
}

// JobSocket is where jobs that run as others than the node find it, who cannot enter its data folder: a folder in which only
// root makes files, so that nobody else can listen there and be told what tokens such jobs have.
func JobSocket(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	return filepath.Join("/run", "rota-"+hashed(dir)+".sock"), err
}

// hashed is a name for a data folder outside of it.
func hashed(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:8])
}

// ListenOpen listens on a socket that every user of the machine can reach. One that nobody answers at is taken for one that
// a dead node left, and removed.
func ListenOpen(path string) (*net.UnixListener, error) {
	if len(path) > maxSocket {
		return nil, rota.Invalid("socket %q: longer than %d bytes", path, maxSocket)
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, rota.Errorf(rota.ErrConflict, "socket %s: another node answers there", path).WithFix("give this one another: --local-socket PATH")
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the socket of an earlier node: %w", err)
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "listen on the socket %s: %v", path, err).WithFix("give another: --local-socket PATH")
	}
	if err := os.Chmod(path, 0o666); err != nil {
		ln.Close()
		return nil, fmt.Errorf("open the socket to others: %w", err)
	}
	return ln, nil
}

// SocketPath is where the socket of a data folder's node is, or would be. A recorded path is only taken when the
// folder it lies in belongs to the owner of the data folder and to nobody else: another user could have put a
// socket of their own there.
func SocketPath(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, recordName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		path, _, err := placeSocket(dir)
		return path, err
	case err != nil:
		return "", fmt.Errorf("find the node's socket: %w", err)
	}
	path := strings.TrimSpace(string(text))
	info, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("find the node's socket: %w", err)
	}
	if err := checkOwned(filepath.Dir(path), ownerOf(info)); err != nil {
		return "", err
	}
	return path, nil
}

// placeSocket is where the socket of a data folder belongs, and whether that has to be recorded. It makes the
// folder of a socket that cannot lie in the data folder.
func placeSocket(dir string) (path string, recorded bool, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", false, fmt.Errorf("place the node's socket: %w", err)
	}
	if path = filepath.Join(dir, socketName); len(path) <= maxSocket {
		return path, false, nil
	}
	name := hashed(dir) + ".sock"
	uid := os.Getuid()
	own := filepath.Join(os.TempDir(), "rota-"+strconv.Itoa(uid))
	if path = filepath.Join(own, name); len(path) > maxSocket {
		return "", false, rota.Invalid("data folder %q: too long a path for a socket, and so is the temporary folder %q", dir, os.TempDir()).
			WithFix("choose a data folder with a shorter path, or set TMPDIR to one")
	}
	if err := os.Mkdir(own, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", false, fmt.Errorf("make a folder for the node's socket: %w", err)
	}
	return path, true, checkOwned(own, uid)
}

// checkOwned refuses a folder for a socket that is not a real folder of the user's alone.
func checkOwned(dir string, uid int) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return rota.Errorf(rota.ErrUnavailable, "the folder of the node's socket: %v", err).WithFix("rota up")
	}
	if !info.IsDir() || ownerOf(info) != uid || info.Mode().Perm()&0o077 != 0 {
		return rota.Errorf(rota.ErrDenied, "folder %s: others could have put a socket there: it is not a folder of user %d alone", dir, uid).
			WithFix("remove it, or choose a data folder with a shorter path")
	}
	return nil
}

func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

// writeWhole writes a small file so that nobody ever reads half of it.
func writeWhole(path, text string) error {
	draft := path + ".new"
	if err := os.WriteFile(draft, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(draft, path)
}
