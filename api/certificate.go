package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"

	"github.com/rotaqueue/rota"
)

// MakeCertificate makes a certificate for a server that nobody vouches for, and its key (ECDSA, P-256), both in one text
// (PEM). Clients know it by its fingerprint, so it does not end; the hosts, names or IP addresses, are for those that are
// told to trust it as an authority.
func MakeCertificate(hosts []string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Rota"}, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-24 * time.Hour),                  // clocks differ
		NotAfter:  time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // the text that stands for no end
		KeyUsage:  x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			cert.IPAddresses = append(cert.IPAddresses, ip)
		} else {
			cert.DNSNames = append(cert.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...), nil
}

// ServeTLS is a listener that shows a certificate to who connects. The key may stand in the same text as the certificate.
func ServeTLS(ln net.Listener, certificate, key []byte) (net.Listener, Fingerprint, error) {
	cert, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, Fingerprint{}, rota.Invalid("certificate: %v", err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	return tls.NewListener(ln, conf), FingerprintOf(cert.Certificate[0]), nil
}
