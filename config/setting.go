package config

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/adrg/xdg"

	"github.com/rotaqueue/rota"
)

// Getenv looks a variable up, as os.LookupEnv does.
type Getenv func(name string) (string, bool)

// setting is one key of the configuration. The table below is the only list of them.
type setting struct {
	key      string
	about    string
	path     bool // a path: relative ones are meant from where they are written
	field    func(*Config) any
	standard func(Getenv) string // the default, as text
}

// BlobsInStore is the Blobs of those that keep blobs in the store itself.
const BlobsInStore = "store"

// unbounded is how "no bound" is written where zero means the default.
const unbounded = "none"

var settings = []setting{
	{"data", "folder of the node: store, logs, socket", true, func(c *Config) any { return &c.Data }, DataFolder},
	{"store", "URL of the PostgreSQL database that keeps jobs, for nodes on many machines; default: the data folder", false, func(c *Config) any { return &c.Store }, fixed("")},
	{"server", "URL of a server to talk to instead of the local node", false, func(c *Config) any { return &c.Server }, fixed("")},
	{"socket", "socket to talk to instead of the data folder's", true, func(c *Config) any { return &c.Socket }, fixed("")},
	{"token-file", "file with the token for the server, or for those that the node joins", true, func(c *Config) any { return &c.TokenFile }, fixed("")},
	{"join", "addresses of servers to run tasks for, without a store of the node's own", false, func(c *Config) any { return &c.Join }, fixed("")},
	{"name", "name of the node", false, func(c *Config) any { return &c.Name }, hostName},
	{"slots", "tasks that run at once, 0 on a node that only answers; default: the CPUs", false, func(c *Config) any { return &c.Slots }, cpus},
	{"queues", "queues to serve, in order: patterns with *, ! excludes", false, func(c *Config) any { return &c.Queues }, fixed("*")},
	{"labels", "labels of the node, KEY=VALUE: jobs can be for nodes with one", false, func(c *Config) any { return &c.Labels }, fixed("")},
	{"offers", "what tasks can need of the node, NAME=AMOUNT, beside its cpus, mem and gpu; 0: nothing of it", false, func(c *Config) any { return &c.Offers }, fixed("")},
	{"shell", "claim jobs that a shell runs; false: the node leaves them to others", false, func(c *Config) any { return &c.Shell }, fixed("true")},
	{"jars", "folders of jars to serve beside the queues", true, func(c *Config) any { return &c.Jars }, fixed("")},
	{"listen", "address of the API, or none", false, func(c *Config) any { return &c.Listen }, fixed(DefaultListen)},
	{"advertise", "URL by which others reach the API; default: made of listen", false, func(c *Config) any { return &c.Advertise }, fixed("")},
	{"behind-proxy", "a proxy in front does TLS", false, func(c *Config) any { return &c.BehindProxy }, fixed("false")},
	{"hosts", "names by which clients may call the API, beside localhost and its address: a proxy's, likely", false, func(c *Config) any { return &c.Hosts }, fixed("")},
	{"trust-submitters", "let remote submitters run jobs as the node's own user", false, func(c *Config) any { return &c.TrustSubmitters }, fixed("false")},
	{"wrap", "a command that is put before each job's, such as nice,-n5", false, func(c *Config) any { return &c.Wrap }, fixed("")},
	{"err-wrap", "a command that reads the error output of jobs, and whose output is kept in its place", false, func(c *Config) any { return &c.ErrWrap }, fixed("")},
	{"mail.smtp", "mail server: smtp://USER@HOST:587 (STARTTLS), smtps://USER@HOST, smtp+plain://HOST (not encrypted)", false, func(c *Config) any { return &c.Mail.SMTP }, fixed("")},
	{"mail.password-file", "file with the password for it", true, func(c *Config) any { return &c.Mail.PasswordFile }, fixed("")},
	{"mail.sendmail", "path of sendmail, where there is no mail server", true, func(c *Config) any { return &c.Mail.Sendmail }, fixed("")},
	{"mail.from", "who sends mail; default: rota@ and the machine's name", false, func(c *Config) any { return &c.Mail.From }, mailFrom},
	{"mail.to", "addresses that get mail when jobs end where neither the job, its user nor its queue names any", false, func(c *Config) any { return &c.Mail.To }, fixed("")},
	{"mail.on", "when they do: error, end or always", false, func(c *Config) any { return &c.Mail.On }, fixed("error")},
	{"notify.to", "URLs that are told when jobs end where neither the job, its user nor its queue names any", false, func(c *Config) any { return &c.Notify.To }, fixed("")},
	{"notify.key-file", "file with the key that signs what they are told", true, func(c *Config) any { return &c.Notify.KeyFile }, fixed("")},
	{"notify.private", "let URLs be told that are at addresses which are not public", false, func(c *Config) any { return &c.Notify.Private }, fixed("false")},
	{"secrets.key", "file with the key that seals secrets, the same on all nodes of a store; default: one in the data folder", true, func(c *Config) any { return &c.Secrets.Key }, fixed("")},
	{"run.as", "who may have jobs run as whom on a node of root's: WHO:USER+USER, * for all; the first USER is who jobs of WHO run as that came over the network", false, func(c *Config) any { return &c.Run.As }, fixed("")},
	{"run.uids", "users for jobs of nobody's on a node of root's, one for each slot: 60001-60099; none: they run as nobody", false, func(c *Config) any { return &c.Run.UIDs }, fixed("")},
	{"local.submit", "groups of the machine whose users may submit at the local socket", false, func(c *Config) any { return &c.Local.Submit }, fixed("")},
	{"local.socket", "the socket for them", true, func(c *Config) any { return &c.Local.Socket }, fixed("/run/rota.sock")},
	{"catch-up", "jobs a second that start to make up for due times that schedules missed, in all the store", false, func(c *Config) any { return &c.CatchUp }, fixed("100")},
	{"cronjob.listen", "address of the REST door for cron jobs, such as 127.0.0.1:30000; main: beside the API; or none", false, func(c *Config) any { return &c.Cronjob.Listen }, fixed(NoListen)},
	{"cronjob.trust-loopback", "user in whose name those ask at that door who come from this machine without a token", false, func(c *Config) any { return &c.Cronjob.Trust }, fixed("")},
	{"tls.cert", "certificate of the API", true, func(c *Config) any { return &c.TLS.Cert }, fixed("")},
	{"tls.key", "key of the certificate", true, func(c *Config) any { return &c.TLS.Key }, fixed("")},
	{"tls.self", "the node makes itself a certificate; without asking where others reach the address and there is no other", false, func(c *Config) any { return &c.TLS.Self }, fixed("false")},
	{"limits.mem", "memory that a task may use, where neither job nor queue says, or none", false, func(c *Config) any { return &c.Limits.Mem }, fixed(unbounded)},
	{"limits.cpus", "CPUs that a task may use, likewise, such as 1.5", false, func(c *Config) any { return &c.Limits.CPUs }, fixed(unbounded)},
	{"limits.pids", "processes and threads of a task, likewise", false, func(c *Config) any { return &c.Limits.PIDs }, fixed(unbounded)},
	{"limits.nice", "niceness of a task, likewise, from -20 (first) to 19", false, func(c *Config) any { return &c.Limits.Nice }, fixed(unbounded)},
	{"limits.max-mem", "the most memory of any task here, or none", false, func(c *Config) any { return &c.Limits.MaxMem }, fixed(unbounded)},
	{"limits.max-cpus", "the most CPUs of any task here, or none", false, func(c *Config) any { return &c.Limits.MaxCPUs }, fixed(unbounded)},
	{"limits.max-pids", "the most processes and threads of any task here, or none", false, func(c *Config) any { return &c.Limits.MaxPIDs }, fixed(unbounded)},
	{"limits.max-nice", "the least niceness of any task here, or none", false, func(c *Config) any { return &c.Limits.MaxNice }, fixed(unbounded)},
	{"ttl", "how long the node's claim to what it runs holds without being renewed", false, func(c *Config) any { return &c.TTL }, fixed("30s")},
	{"output-cap", "output kept of each stream of an attempt", false, func(c *Config) any { return &c.OutputCap }, fixed(rota.Size(rota.OutputCap).String())},
	{"blobs", "where files for jobs are kept: a folder that all servers see, s3://BUCKET/PREFIX?endpoint=URL, or store (the database); default: the data folder, with a database that", false, func(c *Config) any { return &c.Blobs }, fixed("")},
	{"blob-cache", "how much of such files the node keeps after it has run them", false, func(c *Config) any { return &c.BlobCache }, fixed("4GiB")},
	{"retention.age", "ended jobs older than this go, or none", false, func(c *Config) any { return &c.Retention.Age }, fixed("30d")},
	{"retention.jobs", "ended jobs beyond the newest so many go, or none", false, func(c *Config) any { return &c.Retention.Jobs }, fixed("1000000")},
	{"retention.size", "oldest ended jobs go when the store is larger, or none", false, func(c *Config) any { return &c.Retention.Size }, fixed("10GiB")},
	{"retention.uploads", "jobs whose upload stopped so long ago are cancelled, or none", false, func(c *Config) any { return &c.Retention.Uploads }, fixed("1h")},
	{"log.format", "text or json", false, func(c *Config) any { return &c.Log.Format }, fixed("text")},
	{"log.level", "debug, info, warn or error", false, func(c *Config) any { return &c.Log.Level }, fixed("info")},
}

// DefaultListen is the address of the API when nothing else is said; a node takes the next free port when it is
// taken.
const DefaultListen = "127.0.0.1:2691"

func mailFrom(getenv Getenv) string {
	host, err := os.Hostname()
	if err != nil || notInName.MatchString(host) {
		host = hostName(getenv)
	}
	return "rota@" + host
}

func fixed(text string) func(Getenv) string { return func(Getenv) string { return text } }

func cpus(Getenv) string { return strconv.Itoa(cpuCount) }

// cpuCount is how many CPUs we may use, as it was before a keeper asked for more threads than that.
var cpuCount = runtime.GOMAXPROCS(0)

// DataFolder is the data folder when nothing else is said: /var/lib/rota for root, else the user's own.
func DataFolder(getenv Getenv) string {
	if os.Geteuid() == 0 {
		return "/var/lib/rota"
	}
	if home, ok := getenv("XDG_DATA_HOME"); ok && filepath.IsAbs(home) {
		return filepath.Join(home, "rota")
	}
	return filepath.Join(xdg.DataHome, "rota")
}

var notInName = regexp.MustCompile(`[^a-zA-Z0-9._-]+`)

// hostName is the machine's name without its domain, as far as a node's name can have it.
func hostName(Getenv) string {
	host, err := os.Hostname()
	if err != nil {
		return "node"
	}
	host, _, _ = strings.Cut(host, ".")
	if host = strings.TrimLeft(notInName.ReplaceAllString(host, "-"), "._-"); host == "" {
		return "node"
	}
	return host[:min(len(host), rota.MaxQueueName-1)]
}

// env is the variable of a setting: ROTA_TLS_CERT for tls.cert. Jobs have their own name as ROTA_NAME.
func (s setting) env() string {
	if s.key == "name" {
		return "ROTA_NODE_NAME"
	}
	return "ROTA_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(s.key))
}

// shown is a setting's value for people: without passwords.
func (s setting) shown(c *Config) string {
	text := getText(s.field(c))
	if u, err := url.Parse(text); err == nil && u.User != nil {
		return u.Redacted()
	}
	return text
}

// IsSwitch reports whether a setting is on or off.
func IsSwitch(key string) bool {
	switch settings[indexOf(key)].field(&Config{}).(type) {
	case *bool, **bool:
		return true
	}
	return false
}

func isZero(p any) bool {
	switch v := p.(type) {
	case *string:
		return *v == ""
	case *int:
		return *v == 0
	case *Slots:
		return *v == 0
	case *bool:
		return !*v
	case *[]string:
		return len(*v) == 0
	case *rota.Duration:
		return *v == 0
	case *rota.Size:
		return *v == 0
	case *float64:
		return *v == 0
	case **int:
		return *v == nil
	case **bool:
		return *v == nil
	}
	panic(fmt.Sprintf("config: no such type of setting: %T", p))
}

func setText(p any, text string) (err error) {
	switch v := p.(type) {
	case *string:
		*v = text
	case *int:
		*v, err = parseInt(text)
	case *Slots:
		*v, err = parseSlots(text)
	case *bool:
		*v, err = parseBool(text)
	case **bool:
		var b bool
		b, err = parseBool(text)
		*v = &b
	case *[]string:
		*v = parseList(text)
	case *rota.Duration:
		*v, err = parseBound(text, rota.ParseDuration)
	case *rota.Size:
		*v, err = parseBound(text, rota.ParseSize)
	case *float64:
		*v, err = parseBound(text, rota.ParseCPUs)
	case **int:
		*v, err = parseNice(text)
	default:
		panic(fmt.Sprintf("config: no such type of setting: %T", p))
	}
	return err
}

func getText(p any) string {
	switch v := p.(type) {
	case *string:
		return *v
	case *int:
		return boundText(*v, strconv.Itoa(*v))
	case *Slots:
		return strconv.Itoa(v.Count())
	case *bool:
		return strconv.FormatBool(*v)
	case **bool:
		return strconv.FormatBool(**v)
	case *[]string:
		return strings.Join(*v, ",")
	case *rota.Duration:
		return boundText(*v, v.String())
	case *rota.Size:
		return boundText(*v, v.String())
	case *float64:
		return boundText(*v, strconv.FormatFloat(*v, 'f', -1, 64))
	case **int:
		if *v == nil {
			return unbounded
		}
		return strconv.Itoa(**v)
	}
	panic(fmt.Sprintf("config: no such type of setting: %T", p))
}

func boundText[T ~int | ~int64 | ~float64](v T, text string) string {
	if v < 0 {
		return unbounded
	}
	return text
}

// parseBound refuses 0, which would be read as "the default".
func parseBound[T ~int | ~int64 | ~float64](text string, parse func(string) (T, error)) (T, error) {
	if text == unbounded {
		return -1, nil
	}
	v, err := parse(text)
	if err == nil && v == 0 {
		err = rota.Invalid("0 is no bound that can be kept; write %s where none is meant", unbounded)
	}
	return v, err
}

func parseInt(text string) (int, error) {
	return parseBound(text, func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return 0, rota.Invalid("%q is not a number", text)
		}
		return n, nil
	})
}

// parseSlots takes 0 for none.
func parseSlots(text string) (Slots, error) {
	if text == "0" {
		return NoSlots, nil
	}
	n, err := parseInt(text)
	if err == nil && n < 0 {
		err = rota.Invalid("%q is not a number", text)
	}
	return Slots(n), err
}

// parseNice is nil for none: 0 is a niceness.
func parseNice(text string) (*int, error) {
	if text == unbounded {
		return nil, nil
	}
	n, err := rota.ParseNice(text)
	return &n, err
}

func parseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, rota.Invalid("%q is neither true nor false", text)
}

func parseList(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
