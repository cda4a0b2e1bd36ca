package api

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/rotaqueue/rota"
)

// overTLS serves a Service on a loopback address with a certificate of its own, and returns the server's address.
func overTLS(t testing.TB, svc rota.Service, opts Options) Address {
	t.Helper()
	text, err := MakeCertificate([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln, pin, err := ServeTLS(raw, text, text)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, svc, opts, ln)
	a, err := MakeAddress("https://"+raw.Addr().String(), pin)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func connectTo(t testing.TB, address, token string) *Client {
	t.Helper()
	c, err := Connect(address, token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestOnlyTheServerThatWasNamedGetsTheToken(t *testing.T) {
	meant, another := &spy{}, &spy{}
	a := overTLS(t, meant, Options{Authenticate: byRole, Log: quiet()})
	b := overTLS(t, another, Options{Authenticate: byRole, Log: quiet()})
	url, fingerprint, _ := strings.Cut(a.String(), "#")
	colons := strings.ToUpper(fingerprint[:2] + ":" + fingerprint[2:])
	for _, address := range []string{a.String(), url + "/#" + colons} {
		meant.asked = nil
		if err := connectTo(t, address, "operator").DropSchedule(t.Context(), "s"); err != nil || len(meant.asked) == 0 {
			t.Errorf("%s: %v; asked %v", address, err, meant.asked)
		}
	}
	wrong := strings.Replace(b.String(), b.pin.String(), fingerprint, 1)
	err := connectTo(t, wrong, "operator").DropSchedule(t.Context(), "s")
	if !errors.Is(err, rota.ErrUnauthenticated) || !strings.Contains(err.Error(), b.pin.String()) || rota.FixOf(err) == "" {
		t.Errorf("another server: %v, fix %q", err, rota.FixOf(err))
	}
	if len(another.asked) != 0 {
		t.Error("the other server was asked")
	}
}

func TestACertificateThatNobodyVouchesForIsToldWithItsFingerprint(t *testing.T) {
	svc := &spy{}
	a := overTLS(t, svc, Options{Authenticate: byRole, Log: quiet()})
	url, _, _ := strings.Cut(a.String(), "#")
	err := connectTo(t, url, "operator").DropSchedule(t.Context(), "s")
	if !errors.Is(err, rota.ErrUnauthenticated) || len(svc.asked) != 0 {
		t.Errorf("%v; asked %d times", err, len(svc.asked))
	}
	fix := rota.FixOf(err)
	address := fix[strings.LastIndex(fix, " ")+1:]
	if err := connectTo(t, address, "operator").DropSchedule(t.Context(), "s"); err != nil || address != a.String() {
		t.Errorf("with what mends it, %q: %v", address, err)
	}
}

func TestAFingerprintIsChecked(t *testing.T) {
	good := strings.Repeat("0f", 32)
	for address, ok := range map[string]bool{
		"https://rota.example.org#" + good: true, "https://rota.example.org/rota#" + strings.ToUpper(good): true,
		"https://rota.example.org#" + good[2:]: false, "https://rota.example.org#" + good + "00": false,
		"https://rota.example.org#self": false, "https://rota.example.org#" + strings.Repeat("0", 64): false, "http://127.0.0.1:2691#" + good: false,
	} {
		a, err := ParseAddress(address)
		if (err == nil) != ok || err == nil && !strings.HasSuffix(a.String(), good) {
			t.Errorf("%s: %v, %v", address, a, err)
		}
		if err != nil && (!errors.Is(err, rota.ErrInvalid) || rota.FixOf(err) == "") {
			t.Errorf("%s: %v, fix %q", address, err, rota.FixOf(err))
		}
	}
}
