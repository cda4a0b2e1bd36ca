package api

import (
	"net/url"
	"strings"

	"github.com/rotaqueue/rota"
)

// Address is where a server is called, and which certificate it must show there: https://HOST:PORT#FINGERPRINT. Without
// a fingerprint it must be one that the machine's own authorities vouch for.
type Address struct {
	url url.URL // without the fingerprint
	pin Fingerprint
}

// ParseAddress reads an address. What would send a token in the clear to another machine is for Connect to refuse.
func ParseAddress(text string) (Address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return Address{}, rota.Invalid("server %q: not an address", text).
			WithFix("write for example https://rota.example.org or http://127.0.0.1:2691")
	}
	if u.User != nil || u.RawQuery != "" {
		return Address{}, rota.Invalid("server %q: an address has no user or query", u.Redacted()).WithFix("give the token in a file: --token-file")
	}
	a := Address{url: url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(u.Path, "/")}}
	if u.Fragment == "" {
		return a, nil
	}
	if u.Scheme != "https" {
		return Address{}, rota.Invalid("server %q: only https has a certificate, and so a fingerprint", text).WithFix("use https://%s", u.Host)
	}
	if a.pin, err = ParseFingerprint(u.Fragment); err != nil {
		return Address{}, rota.Invalid("server %q: %v", text, err).WithFix("copy it from what rota up, or rota doctor, says there")
	}
	return a, nil
}

// MakeAddress is the address of a server at a URL that shows a certificate; the zero Fingerprint is none to be shown.
func MakeAddress(url string, pin Fingerprint) (Address, error) {
	a, err := ParseAddress(url)
	if err == nil && a.pin == (Fingerprint{}) && a.url.Scheme == "https" {
		a.pin = pin
	}
	return a, err
}

// String is the address as it is written.
func (a Address) String() string {
	if a.pin == (Fingerprint{}) {
		return a.url.String()
	}
	return a.url.String() + "#" + a.pin.String()
}

// Loopback reports whether only this machine can be meant.
func (a Address) Loopback() bool { return IsLoopback(a.url.Hostname()) }

// Host is its host, without the port.
func (a Address) Host() string { return a.url.Hostname() }
