package config

import (
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// A shorter lease would be lost to a busy machine; a longer one would keep the tasks of a lost node from running elsewhere.
const (
	leastTTL = time.Second
	mostTTL  = time.Hour
)

// Check refuses a resolved Config that no node can run with.
func (c Config) Check() error {
	if err := rota.CheckQueueName("@" + c.Name); err != nil {
		return rota.Invalid("name %q: a node's name has up to %d letters, digits, '.', '_' and '-'", c.Name, rota.MaxQueueName-1)
	}
	if c.Slots < 1 && c.Slots != NoSlots {
		return rota.Invalid("slots: from 0 on")
	}
	if err := checkStore(c.Store); err != nil {
		return err
	}
	if err := c.Tell().Check(); err != nil {
		return err
	}
	if _, err := rota.ParseRunAs(c.Run.As); err != nil {
		return err
	}
	if _, _, err := c.Run.Range(); err != nil {
		return err
	}
	if c.TTL.D() < leastTTL || c.TTL.D() > mostTTL {
		return rota.Invalid("ttl: from %v to %v", leastTTL, mostTTL)
	}
	if c.OutputCap < 1 {
		return rota.Invalid("output-cap: needs a size, such as 64KiB")
	}
	if c.Blobs != "" && c.Blobs != BlobsInStore && !strings.HasPrefix(c.Blobs, "s3://") && !filepath.IsAbs(c.Blobs) {
		return rota.Invalid("blobs: %q is no place for blobs", c.Blobs).WithFix("write an absolute folder, s3://BUCKET/PREFIX?endpoint=URL, or store")
	}
	if c.BlobCache < 1 {
		return rota.Invalid("blob-cache: needs a size, such as 4GiB")
	}
	for _, q := range c.Queues {
		if err := rota.CheckPattern(q); err != nil {
			return err
		}
	}
	if _, err := c.NodeLabels(); err != nil {
		return err
	}
	if _, err := c.NodeOffers(nil); err != nil {
		return err
	}
	for _, h := range c.Hosts {
		if !isHost(h) {
			return rota.Invalid("hosts: %q is no host's name", h).WithFix("write it as it stands in the address, without https:// and port: rota.example.org")
		}
	}
	if err := c.Limits.Rota().Check(); err != nil {
		return rota.Invalid("limits.%v", err)
	}
	if !slices.Contains([]string{"text", "json"}, c.Log.Format) {
		return rota.Invalid("log.format %q: write text or json", c.Log.Format)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		return rota.Invalid("log.level %q: write debug, info, warn or error", c.Log.Level)
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		return rota.Invalid("tls: a certificate needs its key, and the key its certificate").
			WithFix("give both --tls-cert FILE and --tls-key FILE")
	}
	if len(c.Join) > 0 && c.TokenFile == "" {
		return rota.Invalid("join: a token is needed, that of a node").
			WithFix("rota node token NAME, on a node that has the store, prints one; put it into a file and name that with --token-file")
	}
	if len(c.Join) > 0 && len(c.Jars) > 0 {
		return rota.Invalid("jars: their jobs become jobs of the node, and one that joins others has none of its own").
			WithFix("serve the jars on a node with a store, or by rota jar on this machine")
	}
	if len(c.Join) > 0 && c.Store != "" {
		return rota.Invalid("join: a store is named, too").WithFix("leave out either --join, for a node without a store, or --store")
	}
	if c.TLS.Self && c.TLS.Cert != "" {
		return rota.Invalid("tls.self: a certificate is given, too").WithFix("leave out either --tls-self or --tls-cert and --tls-key")
	}
	if c.Cronjob.Trust != "" && c.Cronjob.Listen == NoListen {
		return rota.Invalid("cronjob.trust-loopback: the door for cron jobs is closed").WithFix("open it: --cronjob-listen 127.0.0.1:30000")
	}
	return c.checkListen()
}

// checkListen refuses what is no address.
func (c Config) checkListen() error {
	if c.Advertise != "" {
		if u, err := url.Parse(c.Advertise); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return rota.Invalid("advertise %q: not an address", c.Advertise).WithFix("write it as others call this node, for example https://rota.example.org:2691")
		}
	}
	if _, _, err := net.SplitHostPort(c.Cronjob.Listen); err != nil && c.Cronjob.Listen != NoListen && c.Cronjob.Listen != MainListen {
		return rota.Invalid("cronjob.listen %q: not an address", c.Cronjob.Listen).WithFix("write HOST:PORT, for example 127.0.0.1:30000, or main, or none")
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil && c.Listen != NoListen {
		return rota.Invalid("listen %q: not an address", c.Listen).WithFix("write HOST:PORT, for example %s, or none", DefaultListen)
	}
	return nil
}

// isHost reports whether a text may stand in an address as the host. An IP address may: a proxy can be called by its own.
func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	return text != "" && strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// checkStore refuses what is no URL of a database.
func checkStore(store string) error {
	if store == "" || strings.HasPrefix(store, "postgres://") || strings.HasPrefix(store, "postgresql://") {
		return nil
	}
	return rota.Invalid("store: not a URL of a PostgreSQL database").
		WithFix("write postgres://USER@HOST/DATABASE, or nothing for the store in the data folder; --data says which folder")
}

// Range is the first of the users for jobs of nobody's, and how many there are; 0: none.
func (r Run) Range() (first, count int, err error) {
	if r.UIDs == "" {
		return 0, 0, nil
	}
	from, to, ok := strings.Cut(r.UIDs, "-")
	first, err1 := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	const least, most = 1000, 1<<31 - 1 // below are the system's own
	if !ok || err1 != nil || err2 != nil || first < least || last < first || last > most || first <= nobody && nobody <= last {
		return 0, 0, rota.Invalid("run.uids %q: not a range of users that nobody has", r.UIDs).WithFix("write for example 60001-60099, beginning at %d or higher", least)
	}
	return first, last - first + 1, nil
}

const nobody = 65534

// Tell is who is told of jobs that name nobody.
func (c Config) Tell() *rota.Tell {
	return &rota.Tell{MailTo: c.Mail.To, MailOn: rota.MailOn(c.Mail.On), Notify: c.Notify.To}
}
