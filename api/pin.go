package api

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/rotaqueue/rota"
)

// Fingerprint is the SHA-256 of a certificate: it names just that one, whoever made it. The zero value is none.
type Fingerprint [sha256.Size]byte

// FingerprintOf is the fingerprint of a certificate in DER.
func FingerprintOf(certificate []byte) Fingerprint { return sha256.Sum256(certificate) }

func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// ParseFingerprint reads 64 hexadecimal digits; colons between them, as other tools write, do no harm.
func ParseFingerprint(text string) (f Fingerprint, err error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(raw) != len(f) || [sha256.Size]byte(raw) == [sha256.Size]byte{} {
		return f, rota.Invalid("fingerprint %q: it has %d hexadecimal digits, the SHA-256 of a certificate", text, 2*len(f))
	}
	copy(f[:], raw)
	return f, nil
}

// tlsConfig is how the server at an address is told from others. A pinned certificate takes the place of authorities,
// names and dates: it must be exactly that one, and the handshake proves that the other side has its key.
func (a Address) tlsConfig() *tls.Config {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.pin == (Fingerprint{}) {
		return conf
	}
	conf.InsecureSkipVerify = true // of authorities, names and dates: VerifyConnection, which has no exceptions, asks for more
	conf.VerifyConnection = func(s tls.ConnectionState) error {
		if got := FingerprintOf(s.PeerCertificates[0].Raw); got != a.pin {
			return &pinError{got}
		}
		return nil
	}
	return conf
}

// pinError is a server that shows another certificate than the one that was named.
type pinError struct{ got Fingerprint }

func (e *pinError) Error() string { return "its certificate has the fingerprint " + e.got.String() }

// distrusted is what a person is told of a server whose certificate is not trusted; nil when an error is about something
// else.
func (c *Client) distrusted(err error) error {
	var other *pinError
	var unknown *tls.CertificateVerificationError
	switch {
	case errors.As(err, &other):
		return rota.Errorf(rota.ErrUnauthenticated, "%s: it is not the server that was named: %v", c.where, other).
			WithFix("ask on that machine: rota doctor says which certificate is the node's. If it was made anew, write the address with the new one")
	case errors.As(err, &unknown) && len(unknown.UnverifiedCertificates) > 0:
		return rota.Errorf(rota.ErrUnauthenticated, "%s: its certificate is not trusted: %v", c.where, unknown.Err).
			WithFix("%s", c.trust(unknown.UnverifiedCertificates[0]))
	}
	return nil
}

// trust says how a certificate can be trusted that no authority vouches for.
func (c *Client) trust(cert *x509.Certificate) string {
	a := Address{c.base, FingerprintOf(cert.Raw)}
	return "if rota doctor on that machine says this fingerprint, write the address with it: " + a.String()
}
