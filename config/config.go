// Package config reads Rota's settings: flags before ROTA_* variables before the user's rota.toml before
// /etc/rota/rota.toml before what holds by default. It knows of each value where it came from, and refuses keys it
// does not know with the file and line.
//
// It touches the environment (through the lookup it is given) and the files it is told to read, nothing else.
package config

import (
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/rotaqueue/rota"
)

// Config is every setting. Its zero value works: a zero field means the default, which [Config.Resolve] fills in.
type Config struct {
	Data      string // folder of a node: store, logs, socket
	Store     string // URL of the PostgreSQL database that keeps jobs; empty: the data folder does
	Server    string // URL of a server to talk to instead of the local node
	Socket    string // socket to talk to instead of the data folder's; set inside jobs
	TokenFile string // file with the token for Server, Socket or Join

	Join []string // addresses of servers to work for; none: the node has a store of its own

	Name            string   // of the node
	Slots           Slots    // tasks that run at once
	Queues          []string // patterns, in order
	Labels          []string // KEY=VALUE
	Offers          []string // NAME=AMOUNT, beside what the machine has
	Shell           *bool    // whether it claims jobs that a shell runs
	Jars            []string // folders of jars that are served beside the queues
	Listen          string   // address of the API, or "none"
	Advertise       string   // URL by which others reach the API; empty: made of Listen
	BehindProxy     bool     // a proxy in front does TLS
	Hosts           []string // names by which clients may call the API, beside localhost and its address
	TrustSubmitters bool     // remote principals below operator may submit although jobs run as the node's user (P28)
	CatchUp         int      // jobs of missed due times that start in a second
	TLS             TLS
	Cronjob         Cronjob

	Wrap      []string // a command that is put before each job's
	ErrWrap   []string // a command that reads the error output of jobs
	Mail      Mail
	Notify    Notify
	Secrets   Secrets
	Run       Run
	Local     Local
	Limits    Limits
	TTL       rota.Duration // of the lease on what the node runs
	OutputCap rota.Size     // of each stream of an attempt, kept in the store
	Blobs     string        // where blobs are: a folder, an s3:// URL, or "store"; empty: the data folder, or the database
	BlobCache rota.Size     // of blobs that the node runs again without fetching them again
	Retention Retention
	Log       Log
}

// Slots is how many tasks run at once. None at all, on a node that only answers, is NoSlots, written 0.
type Slots int

// NoSlots is how many a node has that claims nothing.
const NoSlots Slots = -1

// Count is the number, of resolved slots.
func (s Slots) Count() int { return int(max(s, 0)) }

// Token is what the token file holds; empty: none is named.
func (c Config) Token() (string, error) {
	if c.TokenFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return "", rota.Errorf(rota.ErrUnauthenticated, "token file: %v", err).WithFix("name a file you can read with --token-file or ROTA_TOKEN_FILE")
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", rota.Errorf(rota.ErrUnauthenticated, "token file %s: is empty", c.TokenFile)
	}
	return token, nil
}

// TLS names the files of the API's certificate, both or neither; or says that the node makes one itself.
type TLS struct {
	Cert string
	Key  string
	Self bool
}

// Cronjob is the REST door for jobs like crontab's.
type Cronjob struct {
	Listen string // its address, "none", or "main": beside the API
	Trust  string // user in whose name those ask who come from this machine without a token; empty: none
}

// MainListen is the Listen of a door that stands beside the API.
const MainListen = "main"

// OwnCertificate reports whether the API shows a certificate that the node makes itself: because that was asked for, or
// because others can reach the address, no certificate was given, and no proxy in front has one. It is meant for a
// resolved Config that was checked.
func (c Config) OwnCertificate() bool {
	if c.Listen == NoListen || c.TLS.Cert != "" {
		return false
	}
	host, _, _ := net.SplitHostPort(c.Listen)
	return c.TLS.Self || !c.BehindProxy && !loopback(host)
}

// Retention says how much history is kept. Negative: no bound.
type Retention struct {
	Age     rota.Duration
	Jobs    int
	Size    rota.Size
	Uploads rota.Duration // jobs whose upload stopped so long ago are cancelled
}

// Limits are what the node has to say of its attempts' limits. Negative, and for niceness nil: nothing.
type Limits struct {
	Mem, MaxMem   rota.Size
	CPUs, MaxCPUs float64
	PIDs, MaxPIDs int
	Nice, MaxNice *int // MaxNice: the least niceness
}

// Mail says how mail is sent, and who gets it for jobs that name nobody.
type Mail struct {
	SMTP         string // smtp://[USER@]HOST[:PORT], smtps://, smtp+plain://
	PasswordFile string
	Sendmail     string // its path
	From         string
	To           []string
	On           string
}

// Notify says how webhooks are told, and which for jobs that name none.
type Notify struct {
	To      []string
	KeyFile string // signs them
	Private bool   // they may be at addresses that are not public
}

// Secrets says with what secrets are sealed.
type Secrets struct {
	Key string // a file of 32 bytes or more; empty: the data folder's
}

// Run says as whom jobs run, on a node of root's.
type Run struct {
	As   []string // who may have jobs run as whom: WHO:USER+USER
	UIDs string   // a range of users, one for each slot, for jobs of nobody's: 60001-60099; empty: nobody
}

// Local says which other users of the machine may submit at the local socket.
type Local struct {
	Submit []string // groups
	Socket string   // where it is, for them
}

// Log is how a node writes its log.
type Log struct {
	Format string // text or json
	Level  string // debug, info, warn or error
}

// Rota is the retention as the store has it, where 0 is no bound. It is meant for a resolved Config.
func (r Retention) Rota() rota.Retention {
	return rota.Retention{Age: max(r.Age, 0), Jobs: max(r.Jobs, 0), Bytes: max(int64(r.Size), 0), Uploads: max(r.Uploads, 0)}
}

// Rota is what the node says as the others have it, where 0 is nothing. It is meant for a resolved Config.
func (l Limits) Rota() rota.Allowance {
	a := rota.Allowance{Default: rota.Limits{Memory: max(int64(l.Mem), 0), CPUs: said(l.CPUs), PIDs: max(l.PIDs, 0)},
		Max: rota.Maxima{Memory: max(int64(l.MaxMem), 0), CPUs: said(l.MaxCPUs), PIDs: max(l.MaxPIDs, 0), Nice: l.MaxNice}}
	if l.Nice != nil {
		a.Default.Nice = *l.Nice
	}
	return a
}

// said is a number of CPUs; what is no number stays, to be refused.
func said(cpus float64) float64 {
	if cpus < 0 {
		return 0
	}
	return cpus
}

// StorePlace is where jobs are kept: a database's URL, or the file of the embedded store.
func (c Config) StorePlace() string {
	if c.Store != "" {
		return c.Store
	}
	return filepath.Join(c.Data, "rota.db")
}

// NoListen is the Listen of a node without an API address: only its socket answers.
const NoListen = "none"

// Resolve fills in the defaults of all fields that are zero. Data folders depend on the environment.
func (c Config) Resolve(getenv Getenv) Config {
	for _, s := range settings {
		if p := s.field(&c); isZero(p) {
			if err := setText(p, s.standard(getenv)); err != nil {
				panic("config: the default of " + s.key + ": " + err.Error())
			}
		}
	}
	return c
}

// RunsShell reports whether the node claims jobs that a shell runs. It is meant for a resolved Config.
func (c Config) RunsShell() bool { return c.Shell == nil || *c.Shell }

// NodeLabels are the node's labels.
func (c Config) NodeLabels() (map[string]string, error) {
	var change rota.NodeChange
	for _, text := range c.Labels {
		key, value, ok := strings.Cut(text, "=")
		if !ok || value == "" {
			return nil, rota.Invalid("labels: %q: write KEY=VALUE", text)
		}
		if change.Labels == nil {
			change.Labels = map[string]string{}
		}
		change.Labels[key] = value
	}
	return change.Labels, change.Check()
}

// NodeOffers is what the node offers: what was found of its machine, and what is said beside.
func (c Config) NodeOffers(found rota.Resources) (rota.Resources, error) {
	all := maps.Clone(found)
	for _, text := range c.Offers {
		name, n, err := rota.ParseResource(text)
		if err != nil {
			return nil, rota.Invalid("offers: %v", err)
		}
		if all == nil {
			all = rota.Resources{}
		}
		all[name] = n
	}
	return all, rota.CheckResources("offers", all)
}
