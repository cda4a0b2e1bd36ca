package cli

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/rotaqueue/rota"
)

// specFlags are the flags that describe a job. The same set reads the command line and a script's #ROTA lines.
type specFlags struct {
	fs *pflag.FlagSet

	name, queue   string
	priority      int
	labels        []string
	dir           string
	vars          []string
	env           string
	stdin         string
	user, group   string
	pipe          bool
	path          string
	secrets       []string
	mailTo        []string
	mailOn        string
	notify        []string
	out, err      string
	artifacts     []string
	timeout       rota.Duration
	grace         rota.Duration
	retries       int
	backoff       backoff
	onLost        string
	limits        limitFlags
	onStoreLoss   string
	hold          bool
	at            string
	after         []string
	array         string
	lines         string
	limit         int
	key, unique   string
	on, limitKey  string
	needs         []string
	wait, follow  bool
	dryRun        bool
	shell, script string // only on the command line
	interpreter   string // likewise: what runs the script
	kept          string // likewise: the file that is kept as a blob
}

// newSpecFlags defines the flags. With once the job is submitted by this command, else by something later
// (a schedule), and what only makes sense now is left out.
func newSpecFlags(fs *pflag.FlagSet, once bool) *specFlags {
	f := &specFlags{fs: fs}
	fs.SortFlags = false
	fs.StringVarP(&f.name, "name", "n", "", "what to call the job")
	fs.StringVarP(&f.queue, "queue", "Q", "", "`queue` to put it into (default: default)")
	fs.IntVarP(&f.priority, "priority", "p", 0, "higher starts earlier")
	fs.StringVarP(&f.array, "array", "a", "", "many tasks, one an `index`: 1-1000, 0-9:2,20; 1-1000%50 runs at most 50 at once")
	if once {
		fs.StringVar(&f.lines, "each-line", "", "many tasks, one a line of `FILE`, or of standard input with -")
	}
	fs.IntVar(&f.limit, "limit", 0, "of many tasks, or of all with one --limit-key, how many run at most at once")
	fs.StringVar(&f.limitKey, "limit-key", "", "of all tasks with this `key`, in whatever queues, only --limit run at once (default 1)")
	if once { // a schedule says it itself
		fs.StringVar(&f.on, "on", "", "only on the `node` of that name, or those with a label KEY=VALUE; rota run: all, a job on each")
	}
	fs.StringArrayVar(&f.needs, "need", nil, "what each task takes of its node: `gpu=2,mem=8G`; repeatable")
	fs.StringVarP(&f.dir, "workdir", "w", "", "working `folder` (default: this one; a scratch folder with --server)")
	fs.StringArrayVarP(&f.vars, "set-env", "e", nil, "environment `K=V`, or K for the value it has here; repeatable")
	fs.StringVar(&f.env, "env", "", "`inherit` this environment, or start with a clean one (default: inherit; clean with --server)")
	fs.StringVar(&f.user, "user", "", "run as this `user`, where the node is root's and its settings allow it")
	fs.StringVar(&f.group, "group", "", "run with this `group`, one of the user's")
	fs.StringArrayVar(&f.secrets, "secret", nil, "give it a secret: `NAME`, NAME=VARIABLE, or NAME=file, which $ROTA_SECRET_NAME names; repeatable")
	fs.StringSliceVar(&f.mailTo, "mail-to", nil, "`addresses` that get mail when it ends, or none")
	fs.StringVar(&f.mailOn, "mail-on", "", "when they do: on `error`, end (succeeded or failed) or always (default: error)")
	fs.StringSliceVar(&f.notify, "notify", nil, "`URLs` that are told when it ends, or none")
	fs.StringVar(&f.path, "path", "", "the job's `PATH`, whatever else its environment is")
	fs.StringVar(&f.stdin, "stdin", "", "`file` on the node to read, - for this command's own input, none for nothing")
	fs.StringVar(&f.out, "out", "", "`file` for the output; %j job, %a index, %n attempt")
	fs.StringVar(&f.err, "err", "", "`file` for the error output; the same as --out joins them")
	fs.StringArrayVar(&f.artifacts, "artifact", nil, "keep the files in the working folder that fit this `pattern`, such as 'out/*.txt', when an attempt has ended; @stdout and @stderr: all that it wrote; repeatable")
	fs.VarP((*durationValue)(&f.timeout), "timeout", "t", "end an attempt that runs longer: 90m, 01:30:00")
	fs.Var((*durationValue)(&f.grace), "grace", "time between TERM and KILL (default 10s)")
	f.limits.register(fs, "", [4]string{"`size` of memory that all its processes may use together: 2G; none: as queue and node have it",
		"`CPUs` whose time they may use together: 1.5, or none", "`processes` and threads that it may have at once, or none",
		"`niceness`, from -20 (first) to 19 (last), or none"})
	fs.IntVar(&f.retries, "retries", 0, "further attempts after a failure (default 3; run: none)")
	fs.Var(&f.backoff, "backoff", "wait before the first retry, doubled for each next; 10s,1h sets the longest too")
	fs.StringVar(&f.onLost, "on-lost", "", "`retry` or fail when its machine went away")
	fs.StringVar(&f.onStoreLoss, "on-store-loss", "", "when its node has lost the store: `kill` it, let it run, or for 10m more")
	fs.BoolVar(&f.hold, "hold", false, "wait until it is released")
	if once {
		fs.StringVar(&f.at, "at", "", "not before this `time`: 17:30, tomorrow 9:00, now + 5 minutes, 2026-01-02 15:04")
		fs.StringArrayVar(&f.after, "after", nil, "wait for `ok:JOB`, any:JOB or fail:JOB; for arrays each:JOB, element by element; several with commas; repeatable")
	}
	fs.StringArrayVar(&f.labels, "label", nil, "`K=V`; repeatable")
	if once {
		fs.StringVar(&f.key, "key", "", "the same `key` names the same job: submitting twice makes one")
		fs.StringVar(&f.unique, "unique", "", "refuse or merge it, as the queue says, while one of that `NAME` (--unique=NAME), or that runs the same, is in its way")
		fs.Lookup("unique").NoOptDefVal = rota.UniqueWork
		fs.BoolVar(&f.dryRun, "dry-run", false, "print the job as it would be submitted, and submit nothing")
	}
	return f
}

// withWait adds the flags of commands that may wait for the job.
func (f *specFlags) withWait() *specFlags {
	f.fs.BoolVar(&f.wait, "wait", false, "wait until it has ended, and end with its exit code")
	f.fs.BoolVar(&f.follow, "follow", false, "show its output as it comes, and end with its exit code")
	return f
}

// withText adds the flags that say what runs other than by arguments.
func (f *specFlags) withText() *specFlags {
	f.fs.StringVarP(&f.shell, "command", "c", "", "shell `text` to run; arguments become $1, $2…")
	f.fs.StringVarP(&f.script, "file", "f", "", "script `file` to run, - for standard input; its #ROTA lines are flags")
	f.fs.BoolVar(&f.pipe, "pipe", false, "the arguments are commands that \":\" separates, each reading what the one before writes; \"::\" is the argument \":\"")
	f.fs.StringVar(&f.interpreter, "interpreter", "", "`command` that runs the script, such as 'python3 -u'")
	f.fs.StringVar(&f.kept, "script", "", "script `file` to keep as a blob and run; its #ROTA lines are flags")
	f.fs.StringVar(&f.kept, "binary", "", "program `file` to keep as a blob and run")
	return f
}

// changed reports whether a flag was given.
func (f *specFlags) changed(name string) bool {
	flag := f.fs.Lookup(name)
	return flag != nil && flag.Changed
}

// overlay gives f's flags to other, where they win.
func (f *specFlags) overlay(other *specFlags) error {
	var failed error
	f.fs.Visit(func(flag *pflag.Flag) {
		to := other.fs.Lookup(flag.Name)
		if to == nil || failed != nil {
			return
		}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			for _, item := range list.GetSlice() {
				failed = other.fs.Set(flag.Name, item)
			}
			return
		}
		failed = other.fs.Set(flag.Name, flag.Value.String())
	})
	return failed
}

// durationValue is a rota.Duration as a flag.
type durationValue rota.Duration

func (d *durationValue) Set(text string) error {
	v, err := rota.ParseDuration(text)
	*d = durationValue(v)
	return err
}

func (d *durationValue) Type() string { return "time" }

func (d *durationValue) String() string {
	if *d == 0 {
		return ""
	}
	return rota.Duration(*d).String()
}

// backoff is the wait before retries as a flag: "10s", or "10s,1h" with the longest.
type backoff struct{ first, longest rota.Duration }

func (b *backoff) Set(text string) (err error) {
	first, longest, two := strings.Cut(text, ",")
	if b.first, err = rota.ParseDuration(first); err != nil {
		return err
	}
	b.longest = 0
	if two {
		if b.longest, err = rota.ParseDuration(longest); err == nil && b.longest < b.first {
			err = rota.Invalid("the longest wait is shorter than the first")
		}
	}
	return err
}

func (b *backoff) Type() string { return "time" }

func (b *backoff) String() string {
	switch {
	case b.first == 0 && b.longest == 0:
		return ""
	case b.longest == 0:
		return b.first.String()
	}
	return b.first.String() + "," + b.longest.String()
}

// parseAfter reads "ok:41,any:42"; a job alone means ok.
func parseAfter(texts []string) ([]rota.Dependency, error) {
	var out []rota.Dependency
	for _, text := range texts {
		for part := range strings.SplitSeq(text, ",") {
			when, id, ok := strings.Cut(part, ":")
			if !ok {
				when, id = string(rota.AfterOK), part
			}
			if !slices.Contains(rota.Whens, rota.When(when)) {
				return nil, badAfter(text)
			}
			job, err := rota.ParseJobID(id)
			if err != nil {
				return nil, badAfter(text)
			}
			out = append(out, rota.Dependency{Job: job, When: rota.When(when)})
		}
	}
	return out, nil
}

func badAfter(text string) error {
	return rota.Invalid("--after %q: not understood", text).WithFix("write ok:41, any:41, fail:41 or each:41")
}

// caller is what a job may take over from whoever submits it.
type caller struct {
	now     time.Time
	remote  bool
	dir     string
	environ []string
}

// apply writes the flags that were given into a spec.
func (f *specFlags) apply(spec *rota.Spec, c caller) error {
	for _, step := range []func(*rota.Spec, caller) error{f.applyNames, f.applyFiles, f.applyEnv, f.applyLimits, f.applyRetry, f.applyWhen, f.applyMany, f.applyWhere} {
		if err := step(spec, c); err != nil {
			return err
		}
	}
	return nil
}

func (f *specFlags) applyNames(spec *rota.Spec, _ caller) error {
	if f.changed("name") {
		spec.Name = f.name
	}
	if f.changed("queue") {
		spec.Queue = f.queue
	}
	if f.changed("mail-to") {
		spec.MailTo = f.mailTo
	}
	if f.changed("mail-on") {
		spec.MailOn = rota.MailOn(f.mailOn)
	}
	if f.changed("notify") {
		spec.Notify = f.notify
	}
	if f.changed("secret") {
		spec.Secrets = nil
		for _, text := range f.secrets {
			u, err := rota.ParseSecretUse(text)
			if err != nil {
				return err
			}
			spec.Secrets = append(spec.Secrets, u)
		}
	}
	if f.changed("path") {
		spec.Path = f.path
	}
	if f.changed("user") {
		spec.User = f.user
	}
	if f.changed("group") {
		spec.Group = f.group
	}
	if f.changed("priority") {
		spec.Priority = f.priority
	}
	if f.changed("timeout") {
		spec.Timeout = f.timeout
	}
	if f.changed("grace") {
		spec.Grace = f.grace
	}
	if f.changed("hold") {
		spec.Hold = f.hold
	}
	if f.changed("unique") {
		spec.Unique = f.unique
	}
	labels, err := parseLabels(f.labels)
	if len(labels) > 0 && spec.Labels == nil {
		spec.Labels = map[string]string{}
	}
	for k, v := range labels {
		spec.Labels[k] = v
	}
	return err
}

func (f *specFlags) applyRetry(spec *rota.Spec, _ caller) error {
	var r rota.Retry
	if spec.Retry != nil {
		r = *spec.Retry
	}
	if f.changed("retries") {
		r.Count = &f.retries
	}
	if f.changed("backoff") {
		r.First, r.Cap = f.backoff.first, f.backoff.longest
	}
	if f.changed("on-lost") {
		if err := oneOf("--on-lost", f.onLost, string(rota.LostRetry), string(rota.LostFail)); err != nil {
			return err
		}
		r.OnLost = rota.OnLost(f.onLost)
	}
	if r != (rota.Retry{}) {
		spec.Retry = &r
	}
	return nil
}

func (f *specFlags) applyWhen(spec *rota.Spec, c caller) (err error) {
	if f.changed("at") {
		if spec.At, err = parseWhen(f.at, c.now); err != nil {
			return err
		}
	}
	if f.changed("after") {
		spec.After, err = parseAfter(f.after)
	}
	return err
}

func (f *specFlags) applyMany(spec *rota.Spec, _ caller) (err error) {
	if f.changed("array") {
		if spec.Array, spec.Limit, err = rota.ParseArray(f.array); err != nil {
			return err
		}
		spec.Lines = false
	}
	if f.changed("each-line") {
		if f.changed("array") {
			return rota.Invalid("--array and --each-line: a job is either an array or one task a line")
		}
		spec.Lines, spec.Array = true, nil
	}
	if f.changed("limit-key") {
		spec.LimitKey, spec.KeyLimit = f.limitKey, 0
	}
	if f.changed("limit") {
		if f.limit < 1 {
			return rota.Invalid("--limit %d: at least 1", f.limit)
		}
		if spec.LimitKey != "" { // an array's own stands behind its %
			spec.KeyLimit = f.limit
		} else {
			spec.Limit = f.limit
		}
	}
	return nil
}

func (f *specFlags) applyWhere(spec *rota.Spec, _ caller) error {
	if f.changed("on") {
		spec.On = f.on
	}
	for _, text := range f.needs {
		r, err := rota.ParseResources(text)
		if err != nil {
			return err
		}
		if spec.Needs == nil {
			spec.Needs = rota.Resources{}
		}
		maps.Copy(spec.Needs, r)
	}
	return nil
}
