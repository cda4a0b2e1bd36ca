package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// maxSocket is the longest path of a socket in bytes that all systems take (P26).
const maxSocket = 100

// checkSocket asks who answers on the node's socket: a node, what a dead one left, or nobody.
func checkSocket(ctx context.Context, p Place) Finding {
	if p.Socket == "" {
		return ok("no socket was named")
	}
	if len(p.Socket) > maxSocket {
		return fail("choose a data folder with a shorter path, or set TMPDIR to one",
			"the socket's path %s has %d bytes, and systems take no more than %d", p.Socket, len(p.Socket), maxSocket)
	}
	info, err := os.Lstat(p.Socket)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ok("no node runs here (there is no socket %s)", p.Socket)
	case err != nil:
		return fail(elsewhere, "socket %s: %v", p.Socket, cause(err))
	case info.Mode()&fs.ModeSocket == 0:
		return fail(fmt.Sprintf("mv %s %s", quote(p.Socket), quote(p.Socket+".old")), "socket %s: something that is not a socket lies there", p.Socket)
	}
	return judgeSocket(p.Socket, userName(ownerOf(info)), ask(ctx, "unix", p.Socket, "http"))
}

func judgeSocket(path, owner string, err error) Finding {
	switch {
	case err == nil:
		return ok("a node of %s answers on %s", owner, path)
	case errors.Is(err, fs.ErrNotExist):
		return ok("no node runs here (it ended just now)")
	case errors.Is(err, syscall.ECONNREFUSED):
		return warn("rota up (takes the folder over)", "no node runs here; one ended without tidying up, and left the socket %s", path)
	case errors.Is(err, fs.ErrPermission):
		return fail("run rota as "+owner+", or "+elsewhere, "the node on %s belongs to %s and refuses others", path, owner)
	case isTimeout(err):
		return fail("its log says what it waits for; ss -xlp src "+quote(path)+" shows its process",
			"a node of %s holds %s and did not answer within %v", owner, path, answerWithin)
	case errors.Is(err, errStranger):
		return fail("ss -xlp src "+quote(path)+" shows its process: stop it, or "+elsewhere, "something on %s answers that is not a Rota node", path)
	}
	return fail(elsewhere, "socket %s: %v", path, cause(err))
}
