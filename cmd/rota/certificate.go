package main

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
	"github.com/rotaqueue/rota/config"
)

// ownCertificate, in the data folder, is the certificate that the node made itself, and its key.
const ownCertificate = "certificate"

// certificate is what the API shows, and the key of it, as PEM; nothing where it has no TLS.
func (f *folder) certificate(c config.Config) (cert, key []byte, err error) {
	switch {
	case c.OwnCertificate():
		own, err := f.ownCertificate(c)
		return own, own, err
	case c.TLS.Cert == "":
		return nil, nil, nil
	}
	if cert, err = os.ReadFile(c.TLS.Cert); err == nil {
		key, err = os.ReadFile(c.TLS.Key)
	}
	if err != nil {
		err = rota.Invalid("certificate: %v", err)
	}
	return cert, key, err
}

// ownCertificate is the certificate of the node's own, which is made at the first start that needs it. It stays the same
// from then on: clients know it by its fingerprint.
func (f *folder) ownCertificate(c config.Config) ([]byte, error) {
	text, err := os.ReadFile(f.file(ownCertificate))
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	if text, err = api.MakeCertificate(ownHosts(c)); err != nil {
		return nil, err
	}
	next := f.file(ownCertificate + ".new")
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "make a certificate in %s: %v", f.path, plain(err))
	}
	return text, os.Rename(next, f.file(ownCertificate))
}

// ownHosts are the names and addresses by which this machine may be called.
func ownHosts(c config.Config) []string {
	hosts := append(names(c), "localhost", "127.0.0.1", "::1")
	if addrs, err := net.InterfaceAddrs(); err == nil {
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsGlobalUnicast() {
				hosts = append(hosts, p.Addr().String())
			}
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// names are those by which clients may call the API: those that are configured, the one that is advertised, and the
// machine's own where others can reach it.
func names(c config.Config) []string {
	all := slices.Clone(c.Hosts)
	if a, err := api.ParseAddress(c.Advertise); err == nil {
		all = append(all, a.Host())
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil || api.IsLoopback(host) {
		return all
	}
	if machine, err := os.Hostname(); err == nil {
		short, _, _ := strings.Cut(machine, ".")
		all = append(all, machine, short)
	}
	if host != "" && net.ParseIP(host) == nil {
		all = append(all, host)
	}
	return all
}
