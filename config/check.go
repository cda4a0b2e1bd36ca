package config

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
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
	if c.TTL.D() < leastTTL || c.TTL.D() > mostTTL {
		return rota.Invalid("ttl: from %v to %v", leastTTL, mostTTL)
	}
	if c.OutputCap < 1 {
		return rota.Invalid("output-cap: needs a size, such as 64KiB")
	}
	for _, q := range c.Queues {
		if q == "!" || strings.ContainsAny(q, " \t/\\") {
			return rota.Invalid("queues: %q is no pattern of queue names", q).WithFix("write for example gpu,fast,*,!slow")
		}
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
	return c.checkListen()
}

// checkListen refuses what is no address.
func (c Config) checkListen() error {
	if c.Advertise != "" {
		if u, err := url.Parse(c.Advertise); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return rota.Invalid("advertise %q: not an address", c.Advertise).WithFix("write it as others call this node, for example https://rota.example.org:2691")
		}
	}
	if c.Listen == NoListen {
		return nil
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
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
