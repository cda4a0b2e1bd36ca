package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/config"
)

// upFlags are the settings that are flags of "rota up", besides the global ones.
var upFlags = []struct{ name, key, about string }{
	{"join", "join", "`addresses` of servers to run tasks for, without a store: https://HOST:2691#FINGERPRINT"},
	{"store", "store", "`URL` of the PostgreSQL database that keeps jobs, for nodes on many machines (default: in the data folder)"},
	{"name", "name", "`name` of the node (default: the machine's)"},
	{"slots", "slots", "how `many` tasks run at once, 0 for a node that only answers (default: the CPUs)"},
	{"queues", "queues", "`queues` to serve, in order: gpu,fast,*,!slow"},
	{"shell", "shell", "claim jobs that a shell runs; --shell=false leaves them to other nodes"},
	{"jar", "jars", "`folders` of jars to serve beside the queues: /shared/jar,/other"},
	{"listen", "listen", "`address` of the API, or none (default " + config.DefaultListen + ", or the next free port)"},
	{"advertise", "advertise", "`URL` by which others reach the API"},
	{"behind-proxy", "behind-proxy", "a proxy in front does TLS"},
	{"hosts", "hosts", "`names` by which clients may call the API through a proxy"},
	{"tls-cert", "tls.cert", "certificate `file` of the API"},
	{"tls-key", "tls.key", "key `file` of the certificate"},
	{"tls-self", "tls.self", "make a certificate; done anyway where others reach the address and none is given"},
	{"run-as", "run.as", "who may have jobs run as whom, on a node of root's: `WHO:USER+USER`, with commas"},
	{"run-uids", "run.uids", "users for jobs of nobody's, on a node of root's: `60001-60099`"},
	{"local-submit", "local.submit", "`groups` of this machine whose users may submit"},
	{"local-socket", "local.socket", "`socket` for them"},
	{"trust-submitters", "trust-submitters", "let remote submitters run jobs as the node's own user"},
	{"catch-up", "catch-up", "how `many` jobs a second make up for times that schedules missed (default 100)"},
	{"cronjob-listen", "cronjob.listen", "`address` of the REST door for cron jobs: 127.0.0.1:30000, or main for /jobs beside the API"},
	{"cronjob-trust-loopback", "cronjob.trust-loopback", "`user` in whose name those ask there who come from this machine without a token"},
	{"blobs", "blobs", "where files for jobs are kept: a `place`, a folder that all servers see, s3://BUCKET/PREFIX?endpoint=URL, or store"},
	{"limits-mem", "limits.mem", "`size` of memory that a task may use, where neither job nor queue says"},
	{"limits-cpus", "limits.cpus", "`CPUs` that a task may use, likewise"},
	{"limits-pids", "limits.pids", "`processes` of a task, likewise"},
	{"limits-nice", "limits.nice", "`niceness` of a task, likewise"},
	{"limits-max-mem", "limits.max-mem", "most memory of any task, a `size`"},
	{"limits-max-cpus", "limits.max-cpus", "most `CPUs` of any task"},
	{"limits-max-pids", "limits.max-pids", "most `processes` of any task"},
	{"limits-max-nice", "limits.max-nice", "least `niceness` of any task"},
	{"log-format", "log.format", "`form` of the log: text or json"},
	{"label", "labels", "`KEY=VALUE`, with commas: jobs can be for nodes with one"},
	{"offer", "offers", "`NAME=AMOUNT`, with commas: what tasks can need, beside its cpus, mem and gpu"},
	{"log-level", "log.level", "`level` of the log: debug, info, warn or error"},
}

func (a *app) upCommand() *cobra.Command {
	var transient, check, force, detach, system bool
	cmd := &cobra.Command{
		Use:   "up [flags]",
		Short: "Run a node, until Ctrl-C",
		Long: `Runs a whole node in the foreground: it keeps jobs in its data folder, runs them, and answers on its socket and API address.
When it ends, what runs goes on, and the next "rota up" takes it back; "rota down" has other ways. HUP makes it read its settings
again. A node's name is its own: another with another data folder is refused, unless it takes the name with --force, for once; what
the one before it runs is then tried again when that one's lease is over.
With --join it has no store: it runs tasks for the nodes that have one, and needs the token that "rota node token" prints there.
Settings may also stand in rota.toml or in ROTA_ variables: see "rota config check".`,
		Example: examples("rota up", "rota up --slots 8 --queues gpu,fast,*", "rota up --store postgres://rota@db.example.org/rota", "rota up --listen 0.0.0.0:2691",
			"rota up --join https://main.example.org:2691 --token-file here.token"),
		Args: exactly(),
	}
	for _, f := range upFlags {
		if config.IsSwitch(f.key) {
			cmd.Flags().Bool(f.name, false, f.about)
			continue
		}
		cmd.Flags().String(f.name, "", f.about)
	}
	cmd.Flags().BoolVar(&force, "force", false, "take the name from another node that has it and is never to come back")
	cmd.Flags().BoolVar(&detach, "detach", false, "start it in the background, and return when it serves; 0 also when one does already")
	cmd.Flags().BoolVar(&system, "system", false, "be this machine's node, of which there is one")
	cmd.Flags().BoolVar(&transient, "transient", false, "end with the last client and task")
	_ = cmd.Flags().MarkHidden("transient")
	cmd.Flags().BoolVar(&check, "check", false, "only say whether the node could be started")
	_ = cmd.Flags().MarkHidden("check")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		load := func() (config.Config, error) {
			c, _, err := a.load(cmd, settingFlags(cmd.Flags())...)
			if err == nil {
				err = c.Check()
			}
			return c, err
		}
		c, err := load()
		if err != nil {
			return err
		}
		if cmd.Flags().Changed("server") {
			return rota.Invalid("--server: a node serves its own data folder").WithFix("leave --server out, or write --join to run tasks for that server")
		}
		if err := hidePassword("--store", cmd.Flag("store").Value.String(),
			"put the URL into ROTA_STORE or rota.toml, or the password into the file that PGPASSFILE names"); err != nil {
			return err
		}
		if detach {
			return a.upDetached(cmd, c)
		}
		ready := func(s Started) {
			if !transient {
				_, _ = io.WriteString(a.out, greeting(s))
			}
		}
		left := func(d Downed) {
			if !transient && d.Running > 0 {
				a.note("rota: %s", downed(d, false, c.Data))
			}
		}
		if check {
			if err := a.deps.Up(cmd.Context(), c, UpOptions{Check: true}); err != nil {
				return err
			}
			_, err := fmt.Fprintf(a.out, "rota %s can serve %s\n", rota.Version, c.Data)
			return err
		}
		reload := func() error { _, err := load(); return err }
		return a.deps.Up(cmd.Context(), c, UpOptions{Transient: transient, System: system, Check: check, Force: force, Ready: ready, Reload: reload, Left: left, Stderr: screenErr{a.screen}})
	}
	return cmd
}

// upDetached starts the node by the same flags, but for the one that says so.
func (a *app) upDetached(cmd *cobra.Command, c config.Config) error {
	args := []string{"up", "--data", c.Data}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "detach" && f.Name != "data" {
			args = append(args, "--"+f.Name+"="+f.Value.String())
		}
	})
	said, err := a.deps.Detach(cmd.Context(), c, args)
	if err != nil {
		return err
	}
	if said == "" {
		a.note("rota: a node serves %s already", clean(c.Data))
		return nil
	}
	_, err = io.WriteString(a.out, strings.Replace(said, "Ctrl-C stops it", "rota down stops it", 1))
	return err
}

// settingFlags are those of upFlags that were given.
func settingFlags(fs *pflag.FlagSet) []config.Flag {
	var out []config.Flag
	for _, f := range upFlags {
		if flag := fs.Lookup(f.name); flag.Changed {
			out = append(out, config.Flag{Key: f.key, Name: "--" + f.name, Text: flag.Value.String()})
		}
	}
	return out
}

// greeting is what a node says when it serves.
func greeting(s Started) string {
	var f fields
	f.add("node", s.Node)
	f.add("data", s.Data)
	f.add("store", s.Store)
	slots := "0: it answers, and runs nothing"
	if s.Slots > 0 {
		slots = fmt.Sprintf("%d, for the queues %s", s.Slots, strings.Join(s.Queues, ","))
	}
	f.add("slots", slots)
	f.add("socket", s.Socket)
	if len(s.Joined) > 0 {
		f.add("joined", strings.Join(s.Joined, ", "))
	}
	f.add("API", orText(s.API, "none"))
	if s.Fingerprint != "" {
		f.add("fingerprint", s.Fingerprint)
	}
	text := "rota " + rota.Version + " is up; Ctrl-C stops it\n"
	for line := range strings.Lines(f.String()) {
		text += "  " + line
	}
	for _, n := range s.Notes {
		text += "  " + n + "\n"
	}
	return text
}
