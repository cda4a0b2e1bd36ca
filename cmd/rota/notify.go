package main

import (
	"errors"
	"net"
	"os"
	"strconv"

	"github.com/rotaqueue/rota"
)

// notifySystem tells systemd how far the node is, where systemd has started it.
func notifySystem(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if path[0] == '@' {
		path = "\x00" + path[1:]
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = c.Write([]byte(state))
}

// firstActivated is the first descriptor of sockets that systemd hands over.
const firstActivated = 3

// activated are the sockets that systemd listened at before the node was there, and hands over: unix sockets, for other
// users of the machine. They are not this process's to remove.
func activated() ([]*net.UnixListener, error) {
	pid, err1 := strconv.Atoi(os.Getenv("LISTEN_PID"))
	n, err2 := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if errors.Join(err1, err2) != nil || pid != os.Getpid() {
		return nil, nil
	}
	var all []*net.UnixListener
	for fd := firstActivated; fd < firstActivated+n; fd++ {
		f := os.NewFile(uintptr(fd), "activated")
		ln, err := net.FileListener(f)
		_ = f.Close()
		u, is := ln.(*net.UnixListener)
		if err != nil || !is {
			return nil, rota.Errorf(rota.ErrUnsupported, "descriptor %d of systemd's: not a unix socket", fd).WithFix("ListenStream=/run/rota.sock, in rota.socket")
		}
		u.SetUnlinkOnClose(false)
		all = append(all, u)
	}
	return all, nil
}
