package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/config"
)

// portsTried is how many ports after a taken one are tried.
const portsTried = 20

// tcpDoor is the API's address, open.
type tcpDoor struct {
	net.Listener
	url  string          // as it was opened
	pin  api.Fingerprint // of its certificate; zero: it has none
	note string          // a sentence for the person who started the node; may be empty
}

// openTCP opens the API's address, or that with the next free port when it is taken.
func openTCP(c config.Config, f *folder) (d tcpDoor, err error) {
	cert, key, err := f.certificate(c)
	if err != nil {
		return d, err
	}
	if err := api.CheckListen(c.Listen, cert != nil, c.BehindProxy); err != nil {
		return d, err
	}
	if d.Listener, d.note, err = listenTCP(c.Listen); err != nil {
		return d, err
	}
	d.url = "http://" + d.Addr().String()
	if cert == nil {
		return d, nil
	}
	d.url = "https://" + d.Addr().String()
	encrypted, pin, err := api.ServeTLS(d.Listener, cert, key)
	if err != nil {
		d.Close()
		return d, unusableCertificate(c, f, err)
	}
	d.Listener, d.pin = encrypted, pin
	return d, nil
}

func unusableCertificate(c config.Config, f *folder, err error) error {
	if c.OwnCertificate() {
		return rota.Errorf(rota.ErrUnavailable, "%s: %v", f.file(ownCertificate), err).
			WithFix("remove it: the node makes another one, and who named it by its fingerprint needs the new one")
	}
	return rota.Invalid("%s: %v", c.TLS.Cert, err)
}

// listenTCP listens on an address, or on the next free port when that is taken, and says so in a note.
func listenTCP(address string) (ln net.Listener, note string, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, "", rota.Invalid("listen %q: %v", address, err)
	}
	first, err := strconv.Atoi(port)
	if err != nil {
		return nil, "", rota.Invalid("listen %q: the port is not a number", address)
	}
	for p := first; ; p++ {
		ln, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(p)))
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EADDRINUSE) || p == first+portsTried || first == 0 {
			return nil, "", rota.Errorf(rota.ErrUnavailable, "listen on %s: %v", address, cause(err)).
				WithFix("choose another address with --listen HOST:PORT, or --listen none")
		}
	}
	if got := ln.Addr().(*net.TCPAddr).Port; first != 0 && got != first {
		note = fmt.Sprintf("port %d is taken; the API is at %d instead", first, got)
	}
	return ln, note, nil
}

func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// advertised is the address by which others reach the API, with the fingerprint of a certificate that nobody else vouches
// for; empty when there is none that they could use.
func (d *tcpDoor) advertised(c config.Config) string {
	pin := d.pin
	if !c.OwnCertificate() || c.BehindProxy {
		pin = api.Fingerprint{}
	}
	url := c.Advertise
	if url == "" {
		at := d.Addr().(*net.TCPAddr)
		host, _, _ := net.SplitHostPort(c.Listen)
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			if host, _ = os.Hostname(); host == "" {
				return ""
			}
		}
		scheme := "http"
		if d.pin != (api.Fingerprint{}) {
			scheme = "https"
		}
		if scheme == "http" && !at.IP.IsLoopback() {
			return "" // a proxy in front has another
		}
		url = scheme + "://" + net.JoinHostPort(host, strconv.Itoa(at.Port))
	}
	a, err := api.MakeAddress(url, pin)
	if err != nil {
		return ""
	}
	return a.String()
}
