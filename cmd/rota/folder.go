package main

import (
	"crypto/rand"
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
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/doctor"
)

// storeFile is the store of a node that has one.
const storeFile = "rota.db"

// folder is a data folder whose lock is held. Its files: lock, rota.db (the store), key (proves the node's name),
// work/ (the keeper's), rota.sock, and log of a transient node.
type folder struct {
	path string
	lock *os.File
}

// openFolder makes the data folder if need be and takes its lock, which is held until after the last write (P26).
// ErrConflict means that another process holds it.
func openFolder(path string) (*folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, unusable(path, err)
	}
	if kind := doctor.NetworkFileSystem(path); kind != "" {
		return nil, rota.Errorf(rota.ErrUnsupported, "data folder %s: lies on a network file system (%s), where locks cannot be trusted", path, kind).
			WithFix("choose a folder on a local disk with --data DIR")
	}
	lock, err := lockFile(filepath.Join(path, "lock"), 0o600)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, rota.Errorf(rota.ErrConflict, "data folder %s: another node%s uses it", path, holder(path)).
			WithFix("use that one, stop it, or choose another folder with --data DIR")
	}
	if err != nil {
		return nil, unusable(path, err)
	}
	f := &folder{path: path, lock: lock}
	if err := lock.Truncate(0); err == nil {
		_, err = lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		if err != nil {
			f.close()
			return nil, rota.Errorf(rota.ErrFull, "data folder %s: %v", path, plain(err)).WithFix("free some space")
		}
	}
	return f, nil
}

func (f *folder) file(name string) string { return filepath.Join(f.path, name) }

func (f *folder) close() { f.lock.Close() }

// key is the secret that proves that a node of this folder is the one that had its name before.
func (f *folder) key() (string, error) {
	b, err := os.ReadFile(f.file("key"))
	if err == nil && len(strings.TrimSpace(string(b))) >= 32 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	raw := make([]byte, 16)
	rand.Read(raw)
	key := hex.EncodeToString(raw)
	next := f.file("key.new")
	if err := os.WriteFile(next, []byte(key+"\n"), 0o600); err != nil {
		return "", err
	}
	return key, os.Rename(next, f.file("key"))
}

// holderPID is the process that holds a folder's lock, as it wrote it; 0 when that cannot be told. As the first process of
// a container it is 1.
func holderPID(path string) int {
	b, err := os.ReadFile(filepath.Join(path, "lock"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid < 1 {
		return 0
	}
	return pid
}

// signalHolder signals the process that holds a folder's lock, and reports whether it did. What stands in the lock may be
// an earlier holder's number, which somebody else has now, or one of another container: who does not have the lock open is
// not signalled. The process is held by a descriptor before that is looked at, where the system has such.
func signalHolder(path string, sig syscall.Signal) (bool, error) {
	pid := holderPID(path)
	if pid == 0 {
		return false, nil
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return false, nil
	}
	defer p.Release()
	if !hasOpen(pid, filepath.Join(path, "lock")) {
		return false, nil
	}
	switch err := p.Signal(sig); {
	case errors.Is(err, os.ErrProcessDone):
		return false, nil
	case err != nil:
		return false, rota.Errorf(rota.ErrDenied, "signal the node, process %d: %v", pid, err)
	}
	return true, nil
}

func holder(path string) string {
	if pid := holderPID(path); pid > 0 {
		return fmt.Sprintf(" (process %d)", pid)
	}
	return ""
}

// answers reports whether somebody listens on a socket.
func answers(path string) bool {
	c, err := net.DialTimeout("unix", path, 5*time.Second)
	if err != nil {
		return errors.Is(err, syscall.EACCES) // somebody else's: the call will say so
	}
	c.Close()
	return true
}

// unusable is why a data folder cannot be used, for errors that do not say so themselves.
func unusable(path string, err error) error {
	if rota.KindOf(err).Err != rota.ErrInternal {
		return err
	}
	return rota.Errorf(rota.ErrUnavailable, "data folder %s: %v", path, plain(err)).
		WithFix("choose a folder that you can write with --data DIR or ROTA_DATA")
}

// plain is what went wrong, without the path that the sentence around it names.
func plain(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
