package doctor

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"
)

// portsTried is how many ports after a taken one a node tries.
const portsTried = 20

// checkPort asks whether the API can have its port, and if not, whether a node has it.
func checkPort(ctx context.Context, p Place) Finding {
	if p.Listen == "" || p.Listen == "none" {
		return ok("no API address is asked for; the socket is enough")
	}
	host, text, err := net.SplitHostPort(p.Listen)
	port, notNumber := strconv.Atoi(text)
	if err != nil || notNumber != nil || port < 0 || port > 65535 {
		return fail("write HOST:PORT, for example 127.0.0.1:2691, or none", "%q is no address to listen on", p.Listen)
	}
	err = tryListen(ctx, host, port)
	switch {
	case err == nil && port == 0:
		return ok("the API takes any free port of %s", host)
	case err == nil:
		return ok("%s is free for the API", p.Listen)
	case errors.Is(err, syscall.EADDRINUSE):
		return judgeTaken(ctx, p, host, port)
	case errors.Is(err, syscall.EACCES):
		return fail("choose a port above 1023 with --listen HOST:PORT", "this user may not listen on %s", p.Listen)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fail("choose one of this machine's addresses (ip addr) with --listen HOST:PORT", "%s is no address of this machine", host)
	}
	return fail("choose another address with --listen HOST:PORT, or none", "cannot listen on %s: %v", p.Listen, err)
}

func tryListen(ctx context.Context, host string, port int) error {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return ln.Close()
}

// judgeTaken says who has the port, and which one is taken instead.
func judgeTaken(ctx context.Context, p Place, host string, port int) Finding {
	who := "another program"
	if isNode(ctx, host, port) {
		if p.Socket != "" && ask(ctx, "unix", p.Socket, "http") == nil {
			return ok("a node serves the API at %s", p.Listen)
		}
		who = "a node with another data folder"
	}
	fix := "ss -ltnp shows who has it; choose another with --listen HOST:PORT"
	for next := port + 1; next <= min(port+portsTried, 65535); next++ {
		if tryListen(ctx, host, next) == nil {
			return warn(fix, "%s is taken by %s; a node takes %d instead", p.Listen, who, next)
		}
	}
	return fail(fix, "%s is taken by %s, and so are the next %d ports", p.Listen, who, portsTried)
}

// isNode reports whether a Rota node listens on a port, with a certificate or without.
func isNode(ctx context.Context, host string, port int) bool {
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	address := net.JoinHostPort(host, strconv.Itoa(port))
	return ask(ctx, "tcp", address, "http") == nil || ask(ctx, "tcp", address, "https") == nil
}
