package doctor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestCertificate(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	make := func(left time.Duration) (path, fingerprint string) {
		cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-1000 * time.Hour), NotAfter: now.Add(left)}
		der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		path = filepath.Join(t.TempDir(), "certificate")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(der)
		return path, hex.EncodeToString(sum[:])
	}
	for _, c := range []struct {
		left  time.Duration
		own   bool
		level Level
		word  string
	}{{1000 * time.Hour, false, OK, "until "}, {time.Hour, false, Warn, "it ends on "}, {-time.Hour, false, Fail, "it ended on "},
		{1000 * time.Hour, true, OK, "the node's own"}} {
		path, fingerprint := make(c.left)
		expect(t, checkCertificate(t.Context(), Place{Certificate: path, OwnCertificate: c.own}), c.level, c.word, fingerprint)
	}
	gone := filepath.Join(t.TempDir(), "none")
	expect(t, checkCertificate(t.Context(), Place{}), OK, "has none")
	expect(t, checkCertificate(t.Context(), Place{Certificate: gone, OwnCertificate: true}), OK, "makes one")
	expect(t, checkCertificate(t.Context(), Place{Certificate: gone}), Fail, gone)
	if err := os.WriteFile(gone, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, checkCertificate(t.Context(), Place{Certificate: gone}), Fail, "no certificate")
}
