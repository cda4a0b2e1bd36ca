package web

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// jobForm is a job as a form has it. What the form has no field for is kept from the job that it was made from.
type jobForm struct {
	From                                             string // the job before
	Kind                                             string // shell, exec or script
	Text, Args                                       string
	Name, Queue, Priority, Labels                    string
	Dir, Env                                         string
	Timeout, Retries, Memory, CPUs, At, After, Array string
	Hold                                             bool
	Key                                              string
	Problem, Fix                                     string
	Queues                                           []string
}

func (p *Pages) newJob(r *request) error {
	f := jobForm{Kind: "shell", Key: rand.Text(), Queue: r.URL.Query().Get("queue")}
	if from := jobParam(r, "from"); from != 0 {
		j, err := p.svc.Job(r.Context(), from)
		if err != nil {
			return err
		}
		f.of(&j.Spec)
		f.From = from.String()
	}
	return p.showForm(r, f)
}

func (p *Pages) showForm(r *request, f jobForm) error {
	queues, err := p.svc.Queues(r.Context())
	if err != nil {
		return err
	}
	for _, q := range queues {
		f.Queues = append(f.Queues, q.Name)
	}
	title := "New job"
	if f.From != "" {
		title = "Job " + f.From + " again"
	}
	r.show("newjob", title, f)
	return nil
}

// of fills the form with a job.
func (f *jobForm) of(s *rota.Spec) {
	switch {
	case s.Script != "":
		f.Kind, f.Text, f.Args = "script", s.Script, lines(s.Argv)
	case s.Shell != "":
		f.Kind, f.Text, f.Args = "shell", s.Shell, lines(s.Argv)
	default:
		f.Kind, f.Text = "exec", lines(s.Argv)
	}
	f.Name, f.Queue, f.Dir, f.Env, f.Hold = s.Name, s.Queue, s.Dir, lines(s.Env), s.Hold
	if s.Priority != 0 {
		f.Priority = strconv.Itoa(s.Priority)
	}
	for _, k := range slices.Sorted(maps.Keys(s.Labels)) {
		f.Labels += k + "=" + s.Labels[k] + "\n"
	}
	if s.Timeout > 0 {
		f.Timeout = s.Timeout.String()
	}
	if s.Retry != nil && s.Retry.Count != nil {
		f.Retries = strconv.Itoa(*s.Retry.Count)
	}
	if s.Memory > 0 {
		f.Memory = rota.Size(s.Memory).String()
	}
	if s.CPUs > 0 {
		f.CPUs = strconv.FormatFloat(s.CPUs, 'f', -1, 64)
	}
	if s.Array != nil {
		f.Array = s.Array.String()
		if s.Limit > 0 {
			f.Array += "%" + strconv.Itoa(s.Limit)
		}
	}
}

func lines(list []string) string { return strings.Join(list, "\n") }

// submitJob submits what the form says. The form's key makes it one job however often it is sent.
func (p *Pages) submitJob(r *request) error {
	f := formOf(r)
	spec, err := p.specOf(r, &f)
	if err == nil {
		var made rota.Submitted
		if made, err = p.svc.Submit(r.Context(), rota.Submission{Spec: spec, Key: f.Key}); err == nil {
			r.redirect("jobs/" + made.Job.String())
			return nil
		}
	}
	if k := rota.KindOf(err).Err; k == rota.ErrInternal || k == rota.ErrUnauthenticated {
		return err
	}
	r.status = rota.KindOf(err).Status
	f.Problem, f.Fix = err.Error(), rota.FixOf(err)
	return p.showForm(r, f)
}

func formOf(r *request) jobForm {
	v := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	return jobForm{From: v("from"), Kind: v("kind"), Text: strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n"), Args: v("args"), Name: v("name"),
		Queue: v("queue"), Priority: v("priority"), Labels: v("labels"), Dir: v("dir"), Env: v("env"), Timeout: v("timeout"), Retries: v("retries"),
		Memory: v("memory"), CPUs: v("cpus"), At: v("at"), After: v("after"), Array: v("array"), Hold: v("hold") != "", Key: v("key")}
}

// specOf is the form as a job.
func (p *Pages) specOf(r *request, f *jobForm) (s rota.Spec, err error) {
	if f.From != "" {
		id, err := rota.ParseJobID(f.From)
		if err != nil {
			return s, err
		}
		j, err := p.svc.Job(r.Context(), id)
		if err != nil {
			return s, err
		}
		s = j.Spec
		s.At, s.After = time.Time{}, nil
	}
	s.Executor, s.Argv, s.Shell, s.Script = "", nil, "", ""
	switch f.Kind {
	case "exec":
		s.Argv = split(f.Text)
	case "script":
		s.Script, s.Argv = f.Text, split(f.Args)
	default:
		s.Shell, s.Argv = strings.TrimSpace(f.Text), split(f.Args)
	}
	s.Name, s.Queue, s.Dir, s.Env, s.Hold = f.Name, f.Queue, f.Dir, split(f.Env), f.Hold
	for _, set := range []func(*rota.Spec) error{f.numbers, f.limits, f.labels, f.when(r), f.many} {
		if err := set(&s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// split are the lines of a field that are not empty.
func split(text string) (out []string) {
	for l := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if strings.TrimSpace(l) != "" {
			out = append(out, l)
		}
	}
	return out
}

func (f *jobForm) numbers(s *rota.Spec) (err error) {
	if s.Priority, err = strconv.Atoi(orZero(f.Priority)); err != nil {
		return rota.Invalid("priority %q: not a number", f.Priority)
	}
	s.Timeout = 0
	if f.Timeout != "" {
		if s.Timeout, err = rota.ParseDuration(f.Timeout); err != nil {
			return err
		}
	}
	if f.Retries != "" {
		n, err := strconv.Atoi(f.Retries)
		if err != nil {
			return rota.Invalid("retries %q: not a number", f.Retries)
		}
		retry := rota.Retry{}
		if s.Retry != nil {
			retry = *s.Retry
		}
		retry.Count = &n
		s.Retry = &retry
	}
	return nil
}

func (f *jobForm) limits(s *rota.Spec) error {
	mem, err := rota.ParseSize(orZero(f.Memory))
	if err != nil {
		return err
	}
	s.Memory = int64(mem)
	s.CPUs, err = rota.ParseCPUs(orZero(f.CPUs))
	return err
}

func (f *jobForm) labels(s *rota.Spec) error {
	s.Labels = nil
	for _, l := range split(f.Labels) {
		k, v, ok := strings.Cut(strings.TrimSpace(l), "=")
		if !ok {
			return rota.Invalid("label %q: write KEY=VALUE", l)
		}
		if s.Labels == nil {
			s.Labels = map[string]string{}
		}
		s.Labels[k] = v
	}
	return nil
}

// when reads a time of the browser's form in the zone of the page, and jobs to wait for.
func (f *jobForm) when(r *request) func(*rota.Spec) error {
	return func(s *rota.Spec) error {
		if f.At != "" {
			at, err := time.ParseInLocation("2006-01-02T15:04", f.At, r.zone)
			if err != nil {
				return rota.Invalid("time %q: not understood", f.At)
			}
			s.At = at
		}
		for _, word := range strings.FieldsFunc(f.After, func(c rune) bool { return c == ' ' || c == ',' }) {
			when, job, ok := strings.Cut(word, ":")
			if !ok {
				when, job = string(rota.AfterOK), word
			}
			id, err := rota.ParseJobID(job)
			if err != nil {
				return err
			}
			s.After = append(s.After, rota.Dependency{Job: id, When: rota.When(when)})
		}
		return nil
	}
}

func (f *jobForm) many(s *rota.Spec) (err error) {
	s.Array, s.Limit = nil, 0
	if s.Lines {
		return rota.Invalid("job %s has a task for each of its lines, which were uploaded", f.From).WithFix("rota again %s", f.From)
	}
	if f.Array != "" {
		s.Array, s.Limit, err = rota.ParseArray(f.Array)
	}
	return err
}

// indented is a value as JSON for people.
func indented(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}
