// Package examples_test runs what stands in this folder, as it stands.
package examples_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

// proxies are the examples, and how each is started.
var proxies = map[string]struct {
	program, file string
	args          func(dir, file string) []string
}{
	"HAProxy": {"haproxy", "haproxy.cfg", func(_, file string) []string { return []string{"-db", "-f", file} }},
	"nginx": {"nginx", "nginx.conf", func(dir, file string) []string {
		return []string{"-p", dir, "-c", file, "-e", "stderr", "-g", "daemon off; pid " + dir + "/pid;"}
	}},
}

func TestEveryNodeAnswersThroughAProxy(t *testing.T) {
	needBinary(t)
	for kind := range proxies {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			n := newNodes(t)
			p := startProxy(t, kind, n.doors[0].address, n.doors[1].address)
			for _, path := range []string{"", "/rota"} {
				c := &client{T: t, url: p.url + path, token: n.token, authority: p.authority}
				p.actsOfAnyDay(t, c)
				p.pages(t, c, n.secret)
			}
			for i, d := range n.doors {
				if d.asked.Load() == 0 {
					t.Errorf("node %d was never asked", i+1)
				}
			}
			p.sizes(t, n.secret)
			p.names(t)
			p.oneNodeAway(t, n)
		})
	}
}

// actsOfAnyDay are those of a user who knows nothing of the proxy.
func (p *proxy) actsOfAnyDay(t *testing.T, c *client) {
	if out := c.rota("run", "--", "echo", "hello"); out != "hello" {
		t.Errorf("rota run wrote %q", out)
	}
	goOn := filepath.Join(t.TempDir(), "go")
	job := c.rota("submit", "-c", "echo one; until test -e "+goOn+"; do sleep 0.02; done; echo two")
	logs := c.command("logs", "-f", job)
	text, err := logs.StdoutPipe()
	if err == nil {
		err = logs.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(text)
	if !lines.Scan() || lines.Text() != "one" {
		t.Errorf("the first line of a job that runs is %q", lines.Text())
	}
	if err := os.WriteFile(goOn, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !lines.Scan() || lines.Text() != "two" || lines.Scan() {
		t.Errorf("the last line is %q", lines.Text())
	}
	if err := logs.Wait(); err != nil {
		t.Errorf("rota logs -f: %v", err)
	}
	c.rota("wait", job)

	job = c.rota("submit", "--", "sleep", "1000")
	c.rota("cancel", "--wait", job)
	if out := c.rota("ls", "--state", "cancelled", "-q"); !strings.Contains(out, job) {
		t.Errorf("job %s was cancelled; cancelled are %q", job, out)
	}
}

// sizes are the largest that a node takes.
func (p *proxy) sizes(t *testing.T, token string) {
	if answer := p.ask(t, "GET", p.url+"/readyz?"+strings.Repeat("x", 50<<10), "localhost", "", ""); answer.StatusCode != http.StatusOK {
		t.Errorf("50 KiB of an address: %s", answer.Status)
	}
	body := `{"spec": {"argv": ["true"]}}`
	body += strings.Repeat(" ", rota.MaxBody-len(body))
	if answer := p.ask(t, "POST", p.url+"/api/v1/jobs", "localhost", token, body); answer.StatusCode != http.StatusOK {
		t.Errorf("%d bytes of a request: %s", len(body), answer.Status)
	}
}

// names: the nodes hear by which name the proxy was called, and answer to those that they know.
func (p *proxy) names(t *testing.T) {
	for host, want := range map[string]int{name: 200, "localhost": 200, "evil.example.org": 403} {
		if answer := p.ask(t, "GET", p.url+"/livez", host, "", ""); answer.StatusCode != want {
			t.Errorf("called as %s: %s", host, answer.Status)
		}
	}
}

// oneNodeAway takes one node away, and then the other: what goes on, goes on.
func (p *proxy) oneNodeAway(t *testing.T, n *nodes) {
	c := &client{T: t, url: p.url, token: n.token, authority: p.authority}
	goOn := filepath.Join(t.TempDir(), "go")
	job := c.rota("submit", "-c", "until test -e "+goOn+"; do sleep 0.02; done")
	waits := make(chan error, 2)
	before := n.doors[0].asked.Load() + n.doors[1].asked.Load()
	for range 2 { // they wait at both, or at one
		wait := c.command("wait", job)
		go func() { waits <- wait.Run() }()
	}
	p.until(t, "ask for the job", func() bool { return n.doors[0].asked.Load()+n.doors[1].asked.Load() >= before+4 })
	for away, d := range n.doors {
		d.close()
		for range 5 {
			if out := c.rota("run", "--", "echo", "hello"); out != "hello" {
				t.Errorf("with node %d away, rota run wrote %q", away+1, out)
			}
		}
		back := d.asked.Load()
		d.open(t)
		p.until(t, "have the node come back", func() bool {
			c.rota("ls", "-q")
			return d.asked.Load() > back
		})
	}
	if err := os.WriteFile(goOn, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-waits; err != nil {
			t.Errorf("who waited while nodes went and came: %v", err)
		}
	}
}

// TestProxiesOutwaitTheNodes: nobody gives a call up that the node is about to answer.
func TestProxiesOutwaitTheNodes(t *testing.T) {
	for file, timeouts := range map[string][]string{
		"haproxy.cfg": {"timeout client", "timeout server"}, "nginx.conf": {"proxy_read_timeout", "proxy_send_timeout"},
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, timeout := range timeouts {
			m := regexp.MustCompile(`(?m)^\s*` + timeout + ` (\d+s);?$`).FindSubmatch(text)
			if m == nil {
				t.Fatalf("%s has no %s", file, timeout)
			}
			if d, err := time.ParseDuration(string(m[1])); err != nil || d < rota.MaxWait+30*time.Second {
				t.Errorf("%s: %s %s: a call may wait for %s, and take some time beside that", file, timeout, d, rota.MaxWait)
			}
		}
	}
}

// proxy is one that runs.
type proxy struct {
	url       string
	authority string // the file with its certificate
	client    *http.Client
}

func startProxy(t *testing.T, kind, one, two string) *proxy {
	t.Helper()
	example := proxies[kind]
	path, err := exec.LookPath(example.program)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + example.program)
	}
	if err != nil {
		t.Skipf("%s is not installed: apt-get install %s", kind, example.program)
	}
	text, err := os.ReadFile(example.file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := &proxy{authority: certificate(t, dir)}
	port := freePort(t)
	p.url = "https://localhost:" + port
	settings := string(text)
	for from, to := range map[string]string{
		"10.0.0.11:2691": one, "10.0.0.12:2691": two,
		"bind :443 ssl": "bind 127.0.0.1:" + port + " ssl", "listen 443 ssl": "listen 127.0.0.1:" + port + " ssl",
		"/etc/haproxy": dir, "/etc/nginx": dir,
	} {
		if strings.Contains(settings, from) { // all that are one proxy's own
			settings = strings.ReplaceAll(settings, from, to)
		}
	}
	if kind == "nginx" && os.Geteuid() != 0 { // its own folders are root's
		settings = strings.Replace(settings, "http {", "http {\nclient_body_temp_path "+dir+"/body; proxy_temp_path "+dir+
			"/proxy; fastcgi_temp_path "+dir+"/fastcgi; uwsgi_temp_path "+dir+"/uwsgi; scgi_temp_path "+dir+"/scgi;", 1)
	}
	file := filepath.Join(dir, example.file)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(t, path, example.args(dir, file)...)
	return p
}

// run starts the proxy, which ends with the test or its process, and waits until it answers.
func (p *proxy) run(t *testing.T, path string, args ...string) {
	t.Helper()
	var said strings.Builder
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	runtime.LockOSThread() // until the test ends: the signal comes when the thread does
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if t.Failed() {
			t.Logf("the proxy said:\n%s", &said)
		}
	})
	text, err := os.ReadFile(p.authority)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}}
	t.Cleanup(transport.CloseIdleConnections)
	p.client = &http.Client{Transport: transport, Timeout: patience}
	p.until(t, "answer", func() bool {
		select {
		case <-ended:
			t.Fatalf("%s does not start:\n%s", path, &said)
		default:
		}
		answer, err := p.client.Get(p.url + "/readyz")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	})
}

func (p *proxy) ask(t *testing.T, method, url, host, token, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	if body != "" {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := p.client.Do(r)
	if err != nil {
		t.Fatalf("%s %.60s: %v", method, url, err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return answer
}

func (p *proxy) until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !yes() {
		select {
		case <-ctx.Done():
			t.Fatalf("the proxy does not %s within %s", what, patience)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// certificate makes the files that the examples name, and is the one with the certificate alone.
func certificate(t *testing.T, dir string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost", name},
		IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	private := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})
	for file, text := range map[string][]byte{"rota.pem": append(public, private...), "rota.key": private, "authority.pem": public} {
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "authority.pem")
}

// freePort is one that nobody listens at, below those of outgoing connections.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		text := strconv.Itoa(14000 + mrand.IntN(1000))
		if ln, err := net.Listen("tcp", "127.0.0.1:"+text); err == nil {
			ln.Close()
			return text
		}
	}
	t.Fatal("no port of 127.0.0.1 between 14000 and 15000 is free")
	return ""
}
