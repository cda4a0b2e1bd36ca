package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rotaqueue/rota"
)

func env(pairs ...string) Getenv {
	return func(name string) (string, bool) {
		for _, p := range pairs {
			if k, v, _ := strings.Cut(p, "="); k == name {
				return v, true
			}
		}
		return "", false
	}
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rota.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestZeroConfigResolves(t *testing.T) {
	c := Config{}.Resolve(env("XDG_DATA_HOME=/home/u/data"))
	if c.Slots < 1 || c.Listen != DefaultListen || c.OutputCap != rota.OutputCap || c.Log.Format != "text" {
		t.Errorf("defaults are missing: %+v", c)
	}
	if os.Geteuid() != 0 && c.Data != "/home/u/data/rota" {
		t.Errorf("data folder %q", c.Data)
	}
	if err := c.Check(); err != nil {
		t.Errorf("the default configuration is refused: %v", err)
	}
	if r := c.Retention.Rota(); r.Age.D() != 30*24*time.Hour || r.Bytes != 10<<30 || r.Jobs != 1_000_000 {
		t.Errorf("retention %+v", r)
	}
}

func TestPrecedence(t *testing.T) {
	l := Loader{
		System: file(t, "slots = 2\nqueues = [\"gpu\", \"*\"]\nname = \"sys\"\n[log]\nformat = \"json\"\n"),
		User:   file(t, "slots = 3\nname = \"user\"\n\n[retention]\nage = \"7d\"\njobs = \"none\"\n"),
		Getenv: env("ROTA_SLOTS=4", "ROTA_LOG_LEVEL=debug", "ROTA_NODE_NAME=", "ROTA_NAME=a job"),
		Flags:  []Flag{{"slots", "--slots", "5"}},
	}
	c, all, err := l.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct{ key, value, source string }{
		{"slots", "5", "--slots"},
		{"name", "user", l.User + ":2"},
		{"queues", "gpu,*", l.System + ":2"},
		{"log.format", "json", l.System + ":5"},
		{"log.level", "debug", "ROTA_LOG_LEVEL"},
		{"retention.age", "168h", l.User + ":5"},
		{"retention.jobs", "none", l.User + ":6"},
		{"listen", DefaultListen, "default"},
	} {
		if s := all.Of(want.key); s.Value != want.value || s.Source != want.source {
			t.Errorf("%s = %q from %q, want %q from %q", want.key, s.Value, s.Source, want.value, want.source)
		}
	}
	if c.Slots != 5 || c.Retention.Jobs != -1 || c.Retention.Rota().Jobs != 0 || c.Retention.Age.D() != 7*24*time.Hour {
		t.Errorf("values %+v", c)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct{ text, want, fix string }{
		"unknown key":   {"data = \"/x\"\nslot = 3\n", ":2: there is no setting \"slot\"", "did you mean slots"},
		"unknown table": {"[retention]\nage = \"1d\"\nagee = \"1d\"\n", ":3: there is no setting \"retention.agee\"", "retention.age"},
		"far off":       {"\n\nfavourite-colour = 1\n", ":3: there is no setting", "remove it"},
		"bad number":    {"slots = \"many\"", ":1: slots: \"many\" is not a number", ""},
		"zero":          {"[retention]\njobs = 0", ":2: retention.jobs: 0 is no bound", ""},
		"bad duration":  {"[retention]\n\nage = \"soon\"", ":3: retention.age: duration \"soon\"", ""},
		"bad syntax":    {"slots = \n", ":1: ", ""},
		"bad list":      {"queues = [1]", ":1: queues: a list has texts", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t, c.text)
			_, _, err := Loader{User: path, Getenv: env()}.Load()
			if err == nil || !errors.Is(err, rota.ErrInvalid) || !strings.Contains(err.Error(), path+c.want) {
				t.Fatalf("got %v, want %s%s", err, path, c.want)
			}
			if fix := rota.FixOf(err); !strings.Contains(fix, c.fix) {
				t.Errorf("fix %q does not say %q", fix, c.fix)
			}
		})
	}
	if _, _, err := (Loader{Getenv: env("ROTA_SLOTS=x")}).Load(); err == nil || !strings.HasPrefix(err.Error(), "ROTA_SLOTS: slots:") {
		t.Errorf("a bad variable: %v", err)
	}
	if _, _, err := (Loader{System: "/dev/null/rota.toml", User: "/does/not/exist", Getenv: env()}).Load(); err != nil {
		t.Errorf("missing files: %v", err)
	}
}

// TestD6_Limits: of the node's limits each is said or none, and 0 is a niceness.
func TestD6_Limits(t *testing.T) {
	c, all, err := Loader{User: file(t, "[limits]\nmem = \"2G\"\ncpus = 1.5\npids = 200\nnice = -5\nmax-mem = \"none\"\nmax-nice = 0\n"),
		Getenv: env("ROTA_LIMITS_MAX_MEM=8G", "ROTA_LIMITS_PIDS=100"), Flags: []Flag{{"limits.max-cpus", "--limits-max-cpus", "4"}}}.Load()
	if err != nil {
		t.Fatal(err)
	}
	zero := 0
	want := rota.Allowance{Default: rota.Limits{Memory: 2 << 30, CPUs: 1.5, PIDs: 100, Nice: -5}, Max: rota.Maxima{Memory: 8 << 30, CPUs: 4, Nice: &zero}}
	if got := c.Limits.Rota(); got.Default != want.Default || got.Max.Memory != want.Max.Memory || got.Max.CPUs != 4 || got.Max.PIDs != 0 ||
		got.Max.Nice == nil || *got.Max.Nice != 0 {
		t.Errorf("limits %+v, want %+v", got, want)
	}
	for key, value := range map[string]string{"limits.mem": "2GiB", "limits.cpus": "1.5", "limits.pids": "100", "limits.nice": "-5",
		"limits.max-mem": "8GiB", "limits.max-cpus": "4", "limits.max-pids": "none", "limits.max-nice": "0"} {
		if s := all.Of(key); s.Value != value {
			t.Errorf("%s = %q, want %q", key, s.Value, value)
		}
	}
	if got := (Config{}).Resolve(env()).Limits.Rota(); !got.IsZero() {
		t.Errorf("nothing said: %+v", got)
	}
	for _, text := range []string{"mem = 0", "cpus = \"NaN\"", "cpus = 0.0", "pids = -1", "nice = 40", "max-nice = \"low\""} {
		if _, _, err := (Loader{User: file(t, "[limits]\n"+text), Getenv: env()}).Load(); !errors.Is(err, rota.ErrInvalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestPaths(t *testing.T) {
	path := file(t, "data = \"store\"\njars = [\"jar\", \"/other\"]\n[tls]\ncert = \"~/c.pem\"\n")
	c, _, err := Loader{User: path, Getenv: env(), Flags: []Flag{{"token-file", "--token-file", "tok"}}}.Load()
	if err != nil {
		t.Fatal(err)
	}
	wd, _ := os.Getwd()
	home, _ := os.UserHomeDir()
	if strings.Join(c.Jars, " ") != filepath.Join(filepath.Dir(path), "jar")+" /other" {
		t.Errorf("jars %q", c.Jars)
	}
	if c.Data != filepath.Join(filepath.Dir(path), "store") || c.TokenFile != filepath.Join(wd, "tok") || c.TLS.Cert != filepath.Join(home, "c.pem") {
		t.Errorf("paths %q %q %q", c.Data, c.TokenFile, c.TLS.Cert)
	}
}

func TestCheck(t *testing.T) {
	good := Config{}.Resolve(env())
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"fine":        {func(*Config) {}, ""},
		"none":        {func(c *Config) { c.Listen = NoListen }, ""},
		"ipv6":        {func(c *Config) { c.Listen = "[::1]:80" }, ""},
		"open":        {func(c *Config) { c.Listen = "0.0.0.0:80" }, ""},
		"proxied":     {func(c *Config) { c.Listen, c.BehindProxy = ":80", true }, ""},
		"encrypted":   {func(c *Config) { c.Listen, c.TLS = ":80", TLS{Cert: "a", Key: "b"} }, ""},
		"join, jars":  {func(c *Config) { c.Join, c.TokenFile, c.Jars = []string{"https://a"}, "t", []string{"/jar"} }, "one that joins others has none"},
		"join, store": {func(c *Config) { c.Join, c.TokenFile, c.Store = []string{"https://a"}, "t", "postgres://b" }, "a store is named, too"},
		"join":        {func(c *Config) { c.Join = []string{"https://a"} }, "a token is needed"},
		"two":         {func(c *Config) { c.TLS = TLS{"a", "b", true} }, "a certificate is given, too"},
		"advertise":   {func(c *Config) { c.Advertise = "https://rota.example.org" }, ""},
		"elsewhere":   {func(c *Config) { c.Advertise = "rota.example.org:2691" }, "advertise \"rota.example.org:2691\": not an address"},
		"half tls":    {func(c *Config) { c.TLS.Cert = "a" }, "needs its key"},
		"cron jobs":   {func(c *Config) { c.Cronjob.Listen = "30000" }, "cronjob.listen \"30000\": not an address"},
		"trust":       {func(c *Config) { c.Cronjob.Trust = "kim" }, "the door for cron jobs is closed"},
		"trusted":     {func(c *Config) { c.Cronjob = Cronjob{Listen: MainListen, Trust: "kim"} }, ""},
		"no address":  {func(c *Config) { c.Listen = "here" }, "not an address"},
		"log format":  {func(c *Config) { c.Log.Format = "xml" }, "text or json"},
		"log level":   {func(c *Config) { c.Log.Level = "loud" }, "debug, info"},
		"name":        {func(c *Config) { c.Name = "a b" }, "a node's name"},
		"no slots":    {func(c *Config) { c.Slots = NoSlots }, ""},
		"slots":       {func(c *Config) { c.Slots = -2 }, "from 0 on"},
		"hosts":       {func(c *Config) { c.Hosts = []string{"rota.example.org", "Rota-2", "192.0.2.7", "2001:db8::7"} }, ""},
		"host's port": {func(c *Config) { c.Hosts = []string{"rota.example.org:443"} }, "hosts: \"rota.example.org:443\" is no host's name"},
		"host's URL":  {func(c *Config) { c.Hosts = []string{"https://rota.example.org"} }, "is no host's name"},
		"any host":    {func(c *Config) { c.Hosts = []string{"*"} }, "is no host's name"},
		"queues":      {func(c *Config) { c.Queues = []string{"a b"} }, "no pattern"},
		"limits":      {func(c *Config) { c.Limits.Mem, c.Limits.MaxMem = 1<<30, 2<<30 }, ""},
		"memory":      {func(c *Config) { c.Limits.Mem = 1024 }, "limits.mem 1KiB"},
		"processes":   {func(c *Config) { c.Limits.PIDs, c.Limits.MaxPIDs = 5, 4 }, "limits.pids 5: the default is beyond max-pids, 4"},
		"CPUs":        {func(c *Config) { c.Limits.MaxCPUs = 5000 }, "limits.max-cpus 5000"},
		"kept output": {func(c *Config) { c.OutputCap = -1 }, "needs a size"},
	} {
		t.Run(name, func(t *testing.T) {
			conf := good
			c.change(&conf)
			err := conf.Check()
			if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestWhatOthersReachHasACertificate: nothing that crosses the network does so in the clear, whatever is said.
func TestWhatOthersReachHasACertificate(t *testing.T) {
	for _, c := range []struct {
		listen       string
		tls          TLS
		behind, want bool
	}{
		{"127.0.0.1:80", TLS{}, false, false}, {"[::1]:80", TLS{}, false, false}, {"localhost:80", TLS{}, false, false},
		{"127.0.0.1:80", TLS{Self: true}, false, true}, {"127.0.0.1:80", TLS{Self: true}, true, true},
		{"0.0.0.0:80", TLS{}, false, true}, {":80", TLS{}, false, true}, {"192.0.2.5:80", TLS{}, false, true}, {"rota.example.org:80", TLS{}, false, true},
		{"0.0.0.0:80", TLS{}, true, false}, {"0.0.0.0:80", TLS{Cert: "a", Key: "b"}, false, false}, {NoListen, TLS{Self: true}, false, false},
	} {
		if got := (Config{Listen: c.listen, TLS: c.tls, BehindProxy: c.behind}).OwnCertificate(); got != c.want {
			t.Errorf("%+v: own certificate %v", c, got)
		}
	}
}

// FuzzFile: no text makes reading a configuration panic or succeed with an unknown key.
func FuzzFile(f *testing.F) {
	f.Add("slots = 3\n[log]\nformat=\"json\"")
	f.Add("[a.b]\n\"c d\" = [\"x\"]\n[[t]]\nx=1")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := parseFile("f", text)
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.line < 0 || e.line > strings.Count(text, "\n")+1 {
				t.Errorf("%q is said to be in line %d", e.key, e.line)
			}
		}
	})
}
