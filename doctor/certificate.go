package doctor

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"time"
)

// endsSoon is how long before its end a certificate is spoken of.
const endsSoon = 14 * 24 * time.Hour

// checkCertificate tells the fingerprint of the API's certificate, by which clients can name it.
func checkCertificate(_ context.Context, p Place) Finding {
	if p.Certificate == "" {
		return ok("the API has none")
	}
	text, err := os.ReadFile(p.Certificate)
	if errors.Is(err, fs.ErrNotExist) && p.OwnCertificate {
		return ok("the node makes one when it starts")
	}
	if err != nil {
		return fail("name a file that you can read with --tls-cert FILE", "%v", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return fail("give a certificate as PEM, or leave --tls-cert and --tls-key out: the node makes one", "%s holds no certificate", p.Certificate)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fail("give another one", "%s: %v", p.Certificate, err)
	}
	return judgeCertificate(cert, p.OwnCertificate, time.Now())
}

func judgeCertificate(cert *x509.Certificate, own bool, now time.Time) Finding {
	sum := sha256.Sum256(cert.Raw)
	fingerprint, end := hex.EncodeToString(sum[:]), cert.NotAfter.UTC().Format(time.DateOnly)
	switch {
	case own:
		return ok("the node's own, with the fingerprint %s", fingerprint)
	case now.After(cert.NotAfter):
		return fail("give a new one with --tls-cert and --tls-key", "it ended on %s; its fingerprint is %s", end, fingerprint)
	case now.Add(endsSoon).After(cert.NotAfter):
		return warn("renew it, then send the node a HUP", "it ends on %s; its fingerprint is %s", end, fingerprint)
	}
	return ok("until %s, with the fingerprint %s", end, fingerprint)
}
