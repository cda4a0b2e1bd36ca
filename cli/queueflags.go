package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rotaqueue/rota"
)

// queueFlags are the settings of a queue as flags. What they take is the wire's own; "none" takes a setting away.
type queueFlags struct {
	fs             *pflag.FlagSet
	standard, most limitFlags

	description, discipline, flow string
	weights                       []string
	slots, running, flowRunning   optional[int]
	starts                        optional[float64]
	pin, ignore                   []string
	executor                      string
	shell                         bool
	wrap, errWrap                 string
	mailTo, notify                []string
	mailOn                        string
	retries, maxLost              optional[int]
	backoff                       optional[backoff]
	jitter                        optional[float64]
	onLost                        string
	keep, window                  optional[rota.Duration]
	repeated                      string
}

func (f *queueFlags) register(fs *pflag.FlagSet) {
	f.fs = fs
	fs.StringVar(&f.description, "description", "", "what it is for, for people")
	fs.StringVar(&f.discipline, "order", "", "`discipline` that orders its tasks")
	fs.StringVar(&f.flow, "flow", "", "what a fair order shares between: `user`, label:KEY or key; none")
	fs.StringArrayVar(&f.weights, "weight", nil, "`FLOW=WEIGHT`, its share beside others', which have 1; FLOW=none; repeatable")
	f.slots = optional[int]{kind: "n", parse: positive(parseCount)}
	fs.Var(&f.slots, "slots", "of its tasks, how many run at most at once on one node")
	f.running = optional[int]{kind: "n", parse: positive(parseCount)}
	fs.Var(&f.running, "running", "of its tasks, how many run at most at once in all, or none")
	f.flowRunning = optional[int]{kind: "n", parse: positive(parseCount)}
	fs.Var(&f.flowRunning, "flow-running", "of the tasks of one flow, how many run at most at once in all, or none")
	f.starts = optional[float64]{kind: "n", parse: positive(parseFloat)}
	fs.Var(&f.starts, "starts", "of its tasks, how many start at most in a second, or none")
	fs.StringSliceVar(&f.pin, "pin", nil, "`nodes` that alone may run its tasks, with commas; none: any")
	fs.StringSliceVar(&f.ignore, "ignore", nil, "`nodes` that may not run its tasks, unless some are pinned; or none")
	fs.StringVar(&f.executor, "executor", "", "`executor` that all its jobs are for; others are refused; none: any")
	fs.BoolVar(&f.shell, "shell", true, "take jobs that a shell runs; --shell=false refuses them")
	fs.StringSliceVar(&f.mailTo, "mail-to", nil, "`addresses` that get mail when its jobs end, or none")
	fs.StringVar(&f.mailOn, "mail-on", "", "when they do: on `error`, end or always, or none")
	fs.StringSliceVar(&f.notify, "notify", nil, "`URLs` that are told when its jobs end, or none")
	fs.StringVar(&f.errWrap, "err-wrap", "", "`command` that reads the error output of its jobs, and whose output is kept in its place, or none")
	fs.StringVar(&f.wrap, "wrap", "", "`command` that is put before each of its commands: 'nice -n 5', or none")
	f.standard.register(fs, "", [4]string{"`size` of memory of a task whose job says nothing: 2G, or none",
		"`CPUs` of such a task: 1.5, or none", "`processes` and threads of such a task, or none", "`niceness` of such a task, from -20 (first) to 19 (last), or none"})
	f.most.register(fs, "max-", [4]string{"most memory of any task: a `size`, or none", "most `CPUs` of any task, or none",
		"most `processes` and threads of any task, or none", "least `niceness` of any task, or none"})
	f.most.nice.none = rota.MinNice
	f.retries = optional[int]{none: -1, kind: "n", parse: parseCount}
	fs.Var(&f.retries, "retries", "further attempts after a failure where the job says nothing; none: as Rota has it (3)")
	f.backoff = optional[backoff]{kind: "time", parse: func(text string) (b backoff, err error) { err = b.Set(text); return b, err }}
	fs.Var(&f.backoff, "backoff", "wait before the first of them, doubled for each next; 10s,1h sets the longest too; none")
	f.jitter = optional[float64]{none: -1, kind: "part", parse: parseFloat}
	fs.Var(&f.jitter, "jitter", "by which part of itself a wait varies, from 0 to 1 (0.2), or none")
	fs.StringVar(&f.onLost, "on-lost", "", "`retry` or fail when its machine went away, or none")
	f.maxLost = optional[int]{none: -1, kind: "n", parse: parseCount}
	fs.Var(&f.maxLost, "max-lost", "lost attempts that are tried again (3), or none")
	f.keep = optional[rota.Duration]{kind: "duration", parse: positive(rota.ParseDuration)}
	fs.Var(&f.keep, "keep", "how long its ended jobs are kept: 12h, 30d, or none: as the node has it")
	f.window = optional[rota.Duration]{kind: "duration", parse: positive(rota.ParseDuration)}
	fs.Var(&f.window, "dedupe", "how long after its end a job is in the way of one like it: 10m, or none")
	fs.StringVar(&f.repeated, "repeated", "", "what becomes of one like it: `refuse` or merge")
}

func parseFloat(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, rota.Invalid("not a number")
	}
	return x, nil
}

// given reports whether any of the flags was.
func (f *queueFlags) given() (some bool) {
	f.fs.Visit(func(*pflag.Flag) { some = true })
	return some
}

func (f *queueFlags) changed(name string) bool { return f.fs.Lookup(name).Changed }

// change is what the flags that were given change.
func (f *queueFlags) change() (c rota.QueueChange, err error) {
	c.Limits = rota.AllowanceChange{Default: f.standard.change(), Max: f.most.change()}
	text(f.fs, "description", f.description, &c.Description)
	text(f.fs, "order", f.discipline, &c.Discipline)
	text(f.fs, "flow", rota.Flow(f.flow), &c.Flow)
	text(f.fs, "executor", f.executor, &c.Executor)
	text(f.fs, "on-lost", rota.OnLost(f.onLost), &c.Retry.OnLost)
	text(f.fs, "repeated", rota.OnRepeat(f.repeated), &c.Dedupe.Then)
	value(f.fs, "slots", f.slots.value, &c.Slots)
	value(f.fs, "running", f.running.value, &c.Running)
	value(f.fs, "flow-running", f.flowRunning.value, &c.FlowRunning)
	value(f.fs, "starts", f.starts.value, &c.Starts)
	value(f.fs, "shell", f.shell, &c.Shell)
	value(f.fs, "retries", f.retries.value, &c.Retry.Count)
	value(f.fs, "jitter", f.jitter.value, &c.Retry.Jitter)
	value(f.fs, "max-lost", f.maxLost.value, &c.Retry.MaxLost)
	value(f.fs, "keep", f.keep.value, &c.Keep)
	value(f.fs, "dedupe", f.window.value, &c.Dedupe.Window)
	text(f.fs, "mail-on", rota.MailOn(f.mailOn), &c.MailOn)
	names(f.fs, "mail-to", f.mailTo, &c.MailTo)
	names(f.fs, "notify", f.notify, &c.Notify)
	names(f.fs, "pin", f.pin, &c.Pin)
	names(f.fs, "ignore", f.ignore, &c.Ignore)
	if f.changed("backoff") {
		c.Retry.First, c.Retry.Cap = &f.backoff.value.first, &f.backoff.value.longest
	}
	if c.Weights, err = weights(f.weights); err != nil {
		return c, err
	}
	for _, w := range []struct {
		flag, text string
		to         *[]string
	}{{"wrap", f.wrap, &c.Wrap}, {"err-wrap", f.errWrap, &c.ErrWrap}} {
		if *w.to, err = f.words(w.flag, w.text); err != nil {
			return c, err
		}
	}
	return c, nil
}

// words is the change of a setting that is a command.
func (f *queueFlags) words(flag, text string) ([]string, error) {
	switch {
	case !f.changed(flag):
		return nil, nil
	case text == noLimit:
		return []string{}, nil
	}
	words, err := splitWords(text)
	if err == nil && len(words) == 0 {
		err = rota.Invalid("--%s: no command; write none where none is meant", flag)
	}
	return words, err
}

// text is the change of a setting that is a text, if the flag was given.
func text[T ~string](fs *pflag.FlagSet, name string, is T, to **T) {
	if is == noLimit {
		is = ""
	}
	value(fs, name, is, to)
}

func value[T any](fs *pflag.FlagSet, name string, is T, to **T) {
	if fs.Changed(name) {
		*to = &is
	}
}

// names is the change of a setting that is a list.
func names(fs *pflag.FlagSet, name string, is []string, to *[]string) {
	switch {
	case !fs.Changed(name):
	case len(is) == 1 && is[0] == noLimit:
		*to = []string{}
	default:
		*to = is
	}
}

func weights(all []string) (map[string]float64, error) {
	if len(all) == 0 {
		return nil, nil
	}
	out := map[string]float64{}
	for _, w := range all {
		at := strings.LastIndexByte(w, '=')
		if at < 0 {
			return nil, rota.Invalid("--weight %q: write FLOW=WEIGHT", w)
		}
		x, err := parseFloat(w[at+1:])
		if w[at+1:] == noLimit {
			x, err = 0, nil
		} else if err == nil && !(x > 0) {
			err = rota.Invalid("write none where none is meant")
		}
		if err != nil {
			return nil, rota.Invalid("--weight %q: %v", w, err)
		}
		out[w[:at]] = x
	}
	return out, nil
}
