package web

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rotaqueue/rota"
)

// cliText is the command that submits a job like this one. What it does not have is its environment, what was uploaded with it
// (files stand for what their texts were), and what no flag says: a retry policy's jitter, and how often it may be lost.
func cliText(s *rota.Spec) string {
	f := flags{"rota", "submit"}
	f.add("--name", s.Name)
	if s.Queue != rota.DefaultQueue {
		f.add("--queue", s.Queue)
	}
	if s.Priority != 0 {
		f.add("--priority", fmt.Sprint(s.Priority))
	}
	for _, k := range slices.Sorted(maps.Keys(s.Labels)) {
		f.add("--label", k+"="+s.Labels[k])
	}
	f.surroundings(s)
	f.limits(s)
	f.retries(s.Retry)
	f.tell(s.Tell)
	f.when(s)
	f.many(s)
	return rota.Quoted(f) + " " + commandOf(s)
}

// flags are words of a command.
type flags []string

// add puts a flag in, unless it says nothing.
func (f *flags) add(flag, value string) {
	if value != "" {
		*f = append(*f, flag, value)
	}
}

// each puts a flag in for each of its values.
func (f *flags) each(flag string, values []string) {
	for _, v := range values {
		f.add(flag, v)
	}
}

// surroundings are who runs it, where, and with what.
func (f *flags) surroundings(s *rota.Spec) {
	f.add("--workdir", s.Dir)
	f.add("--user", s.User)
	f.add("--group", s.Group)
	f.add("--path", s.Path)
	for _, u := range s.Secrets {
		switch {
		case u.File:
			f.add("--secret", u.Name+"=file")
		case u.Var != "":
			f.add("--secret", u.Name+"="+u.Var)
		default:
			f.add("--secret", u.Name)
		}
	}
	f.add("--stdin", s.Stdin)
	f.add("--out", s.Out)
	f.add("--err", s.Err)
	f.each("--artifact", s.Artifacts)
}

func (f *flags) limits(s *rota.Spec) {
	if s.Timeout > 0 {
		f.add("--timeout", s.Timeout.String())
	}
	if s.Grace > 0 && s.Grace != rota.DefaultGrace {
		f.add("--grace", s.Grace.String())
	}
	if s.Memory > 0 {
		f.add("--mem", rota.Size(s.Memory).String())
	}
	if s.CPUs > 0 {
		f.add("--cpus", fmt.Sprint(s.CPUs))
	}
	if s.PIDs > 0 {
		f.add("--pids", fmt.Sprint(s.PIDs))
	}
	if s.Nice != 0 {
		f.add("--nice", fmt.Sprint(s.Nice))
	}
	f.add("--on-store-loss", string(s.OnStoreLoss))
	if len(s.Needs) > 0 {
		f.add("--need", s.Needs.String())
	}
}

func (f *flags) retries(r *rota.Retry) {
	if r == nil {
		return
	}
	if r.Count != nil {
		f.add("--retries", fmt.Sprint(*r.Count))
	}
	switch {
	case r.First > 0 && r.Cap > 0:
		f.add("--backoff", r.First.String()+","+r.Cap.String())
	case r.First > 0:
		f.add("--backoff", r.First.String())
	}
	f.add("--on-lost", string(r.OnLost))
}

func (f *flags) tell(t rota.Tell) {
	f.each("--mail-to", t.MailTo)
	f.add("--mail-on", string(t.MailOn))
	f.each("--notify", t.Notify)
}

// when is what it waits for.
func (f *flags) when(s *rota.Spec) {
	if s.Hold {
		*f = append(*f, "--hold")
	}
	if !s.At.IsZero() {
		f.add("--at", s.At.UTC().Format(time.RFC3339))
	}
	for _, d := range s.After {
		f.add("--after", string(d.When)+":"+d.Job.String())
	}
	f.add("--on", s.On)
	f.add("--limit-key", s.LimitKey)
	if s.LimitKey != "" && s.KeyLimit > 0 {
		f.add("--limit", fmt.Sprint(s.KeyLimit))
	}
	switch s.Unique {
	case "":
	case rota.UniqueWork:
		*f = append(*f, "--unique")
	default:
		*f = append(*f, "--unique="+s.Unique)
	}
}

// many are its tasks. With a key the flag of limits is the key's, and an array's own stands behind it.
func (f *flags) many(s *rota.Spec) {
	if s.Lines {
		f.add("--each-line", "FILE")
	}
	limit := ""
	if s.Limit > 0 {
		limit = fmt.Sprint(s.Limit)
	}
	switch {
	case s.Array != nil && limit != "":
		f.add("--array", s.Array.String()+"%"+limit)
	case s.Array != nil:
		f.add("--array", s.Array.String())
	case s.LimitKey == "":
		f.add("--limit", limit)
	}
}

// commandOf is the rest of the command line: what is to run.
func commandOf(s *rota.Spec) string {
	var f flags
	switch {
	case len(s.Pipe) > 0:
		return "--pipe -- " + rota.PipeLine(s.Pipe)
	case s.Shell != "" && len(s.Argv) == 0:
		return "-c " + rota.Quoted(flags{s.Shell})
	case s.Shell != "":
		f = flags{"-c", s.Shell, "--"}
	case s.Script != "":
		f.add("--interpreter", rota.Quoted(s.Interpreter))
		f = append(f, "-f", "FILE")
	case s.Blob != "":
		f = flags{"--binary", "FILE"}
	default:
		f = flags{"--"}
	}
	return rota.Quoted(append(f, s.Argv...))
}
