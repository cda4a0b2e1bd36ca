package courier

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

const patience = 30 * time.Second

// server is Debian's mail server, which puts what it gets into a file.
type server struct {
	port int
	box  string
	pool *x509.CertPool
}

// TestZ5_MailByARealServer: encrypted and authenticated, or plain where that is said; a wrong password and a certificate of
// nobody's are failures; what is in names cannot become a header.
func TestZ5_MailByARealServer(t *testing.T) {
	s := startServer(t)
	trusts := &tls.Config{RootCAs: s.pool, ServerName: "localhost"}
	code := 3
	e := rota.Event{ID: "e1.0", Kind: rota.EventFailed, Job: 42, Name: "nightly\r\nBcc: eve@example.org", Reason: "exit code 3", Exit: &code,
		At: time.Now(), Errors: "line 1\n.\nFrom here on wrong: ä", Link: "https://rota.example.org/jobs/42"}
	for name, c := range map[string]struct {
		m    Mail
		want bool
	}{
		"STARTTLS and a password": {Mail{Server: s.url("smtp", "ann"), Password: "right", TLS: trusts}, true},
		"plain":                   {Mail{Server: s.url("smtp+plain", "")}, true},
		"a wrong password":        {Mail{Server: s.url("smtp", "ann"), Password: "wrong", TLS: trusts}, false},
		"a stranger's certificate": {Mail{Server: s.url("smtp", "ann"), Password: "right",
			TLS: &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "localhost"}}, false},
		"a password in the clear": {Mail{Server: s.url("smtp+plain", "ann"), Password: "right"}, false},
		"nobody there":            {Mail{Server: "smtp+plain://127.0.0.1:1"}, false},
		"nothing said":            {Mail{}, false},
	} {
		before := s.mails(t)
		c.m.From = "rota@example.org"
		err := New(Options{Mail: c.m}).Deliver(t.Context(), "mail:ops@example.org", []rota.Event{e})
		if (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !c.want {
			continue
		}
		text := s.await(t, before)
		for _, want := range []string{"Subject: [rota] job 42 nightly", "To: <ops@example.org>", "Message-ID: <e1.0.1@rota>", "Auto-Submitted: auto-generated",
			"exit code 3", "line 1", "https://rota.example.org/jobs/42"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
		if strings.Contains(text, "\nBcc:") {
			t.Errorf("%s: a name became a header:\n%s", name, text)
		}
	}
}

// TestZ5_SendmailByARealServer: the program of the same name.
func TestZ5_SendmailByARealServer(t *testing.T) {
	s := startServer(t)
	sendmail := filepath.Join(t.TempDir(), "sendmail")
	script := fmt.Sprintf("#!/bin/sh\nexec %s -C %s \"$@\"\n", eximPath(t), filepath.Join(filepath.Dir(s.box), "conf"))
	if err := os.WriteFile(sendmail, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	before := s.mails(t)
	m := Mail{Sendmail: sendmail, From: "rota@example.org"}
	if err := New(Options{Mail: m}).Deliver(t.Context(), "mail:ops@example.org", []rota.Event{{ID: "e2", Kind: rota.EventSucceeded, Job: 7}}); err != nil {
		t.Fatal(err)
	}
	if text := s.await(t, before); !strings.Contains(text, "Subject: [rota] job 7 succeeded") {
		t.Errorf("%s", text)
	}
	m.Sendmail = "/no/such/sendmail"
	if err := New(Options{Mail: m}).Deliver(t.Context(), "mail:ops@example.org", []rota.Event{{ID: "e3"}}); err == nil {
		t.Error("a program that is not there sent mail")
	}
}

// TestZ5_ABurstIsOneLetter: its subject counts, and each event has a line.
func TestZ5_ABurstIsOneLetter(t *testing.T) {
	var events []rota.Event
	for i := range 50 {
		events = append(events, rota.Event{ID: "e" + strconv.Itoa(i), Kind: rota.EventFailed, Job: rota.JobID(100 + i), Reason: "exit code 1"})
	}
	events[7].Kind = rota.EventSucceeded
	subject, text := letter(events)
	if subject != "[rota] 49 failed, 1 succeeded" || strings.Count(text, "exit code 1") < 49 || !strings.Contains(text, "job 149") {
		t.Errorf("%s\n%s", subject, text)
	}
}

func TestWhatIsNoMailServerIsRefused(t *testing.T) {
	for _, bad := range []string{"mail.example.org", "http://mail.example.org", "smtp://", "smtp://host:port"} {
		if err := CheckServer(bad); !errors.Is(err, rota.ErrInvalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func (s *server) url(scheme, user string) string {
	if user != "" {
		user += "@"
	}
	return fmt.Sprintf("%s://%slocalhost:%d", scheme, user, s.port)
}

func (s *server) mails(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(s.box)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

// await is what has come since.
func (s *server) await(t *testing.T, before string) string {
	t.Helper()
	for late, tick := time.After(patience), time.Tick(10*time.Millisecond); ; {
		if text := s.mails(t); len(text) > len(before) && strings.HasSuffix(text, "\n\n") {
			return strings.ReplaceAll(text[len(before):], "=\n", "")
		}
		select {
		case <-tick:
		case <-late:
			t.Fatal("no mail came")
		}
	}
}

func eximPath(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("exim4")
	if err != nil {
		path = "/usr/sbin/exim4"
	}
	if _, err := os.Stat(path); err != nil || os.Geteuid() != 0 {
		t.Skip("needs exim4, and root to run it with a configuration of its own: scripts/servers exim4-daemon-light")
	}
	return path
}

// startServer starts exim with a configuration, spool and mailbox of its own.
func startServer(t *testing.T) *server {
	t.Helper()
	exim := eximPath(t)
	who, err := user.Lookup("Debian-exim")
	if err != nil {
		t.Skip("needs the user Debian-exim")
	}
	dir, err := os.MkdirTemp("/var/tmp", "rota-mail-")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(who.Uid)
	gid, _ := strconv.Atoi(who.Gid)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chown(dir, uid, gid)); err != nil {
		t.Fatal(err)
	}
	s := &server{port: freePort(t), box: filepath.Join(dir, "box")}
	s.pool = certificate(t, dir, uid, gid)
	conf := fmt.Sprintf(`primary_hostname = localhost
exim_path = %[4]s
spool_directory = %[1]s/spool
log_file_path = %[1]s/%%slog
pid_file_path = %[1]s/pid
daemon_smtp_ports = %[2]d
local_interfaces = 127.0.0.1
tls_advertise_hosts = *
tls_certificate = %[1]s/cert.pem
tls_privatekey = %[1]s/key.pem
acl_smtp_rcpt = all
never_users =
keep_environment =
domainlist local = *
begin acl
all:
  accept
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  file = %[1]s/box
  user = %[3]s
  envelope_to_add
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_advertise_condition = ${if def:tls_in_cipher}
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{ann}}{eq{$auth3}{right}}}}
`, dir, s.port, who.Username, exim)
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exim, "-bdf", "-q1h", "-C", filepath.Join(dir, "conf"))
	said, err := os.Create(filepath.Join(dir, "said")) // a pipe would be held by what it starts
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	})
	for late, tick := time.After(patience), time.Tick(10*time.Millisecond); ; {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port)); err == nil {
			c.Close()
			return s
		}
		select {
		case <-tick:
		case <-late:
			log, _ := os.ReadFile(filepath.Join(dir, "mainlog"))
			text, _ := os.ReadFile(said.Name())
			t.Fatalf("exim does not answer: %s %s", text, log)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// certificate makes one for localhost, and the pool that trusts it.
func certificate(t *testing.T, dir string, uid, gid int) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	is := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, is, is, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, pem.EncodeToMemory(block), 0o600), os.Chown(path, uid, gid)); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return pool
}
