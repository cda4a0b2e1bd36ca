package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/config"
)

// portsTried is how many ports after a taken one are tried.
const portsTried = 20

// listenTCP listens on the API's address, or on the next free port when that is taken, and says so in a note.
func listenTCP(c config.Config) (ln net.Listener, url, note string, err error) {
	if err := api.CheckListen(c.Listen, c.TLS.Cert != "", c.BehindProxy); err != nil {
		return nil, "", "", err
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, "", "", rota.Invalid("listen %q: %v", c.Listen, err)
	}
	first, err := strconv.Atoi(port)
	if err != nil {
		return nil, "", "", rota.Invalid("listen %q: the port is not a number", c.Listen)
	}
	for p := first; ; p++ {
		ln, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(p)))
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EADDRINUSE) || p == first+portsTried || first == 0 {
			return nil, "", "", rota.Errorf(rota.ErrUnavailable, "listen on %s: %v", c.Listen, cause(err)).
				WithFix("choose another address with --listen HOST:PORT, or --listen none")
		}
	}
	addr := ln.Addr().(*net.TCPAddr)
	if first != 0 && addr.Port != first {
		note = fmt.Sprintf("port %d is taken; the API is at %d instead", first, addr.Port)
	}
	if c.TLS.Cert == "" {
		return ln, "http://" + addr.String(), note, nil
	}
	cert, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key)
	if err != nil {
		ln.Close()
		return nil, "", "", rota.Invalid("certificate %s: %v", c.TLS.Cert, err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	return tls.NewListener(ln, conf), "https://" + addr.String(), note, nil
}

func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
