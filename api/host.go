package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/rotaqueue/rota"
)

// hosts are the names by which the server may be called over TCP. Another name in the Host header is that of a
// page whose owner made it point here (DNS rebinding).
type hosts map[string]bool

func newHosts(configured []string) hosts {
	h := hosts{"localhost": true}
	for _, name := range configured {
		h[strings.ToLower(name)] = true
	}
	return h
}

// check refuses a request that came by a wrong name. A loopback address and the address that the connection
// reached are always right: what rebinds has a name.
func (h hosts) check(r *http.Request) error {
	name := hostOf(r.Host)
	if h[name] {
		return nil
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		if ip.IsLoopback() || ip.Unmap() == localIP(r) {
			return nil
		}
	}
	return rota.Errorf(rota.ErrDenied, "host %q: this server is not called by that name", r.Host).
		WithFix("call it by its address, or allow the name with --hosts where the node is started")
}

// hostOf is the host of a Host header without its port, in small letters and without brackets.
func hostOf(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

func localIP(r *http.Request) netip.Addr {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return addr.AddrPort().Addr().Unmap()
}

// CheckListen refuses a TCP address on which tokens and output would cross the network in the clear: one that is
// not a loopback address, without TLS and without a proxy before it that does TLS.
func CheckListen(addr string, tls, behindProxy bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return rota.Invalid("address %q: write HOST:PORT", addr)
	}
	if tls || behindProxy || IsLoopback(host) {
		return nil
	}
	return rota.Invalid("address %q: others could reach it, and it has no TLS", addr).
		WithFix("listen on 127.0.0.1, give a certificate, or say --behind-proxy when a proxy before it does TLS")
}

// IsLoopback reports whether only this machine can answer to the host. No host means all addresses.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}
