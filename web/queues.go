package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// queueRow is a queue with its counts summed up.
type queueRow struct {
	rota.Queue
	Waiting, Ready, Running, Failed, Succeeded, Aside int
	Share                                             int // of all that runs, in hundredths
}

func queueRows(queues []rota.Queue) []queueRow {
	rows := make([]queueRow, len(queues))
	for i, q := range queues {
		aside := q.Counts[rota.Blocked] + q.Counts[rota.Scheduled] + q.Counts[rota.Held]
		rows[i] = queueRow{Queue: q, Ready: q.Counts[rota.Ready], Aside: aside, Waiting: q.Counts[rota.Ready] + aside, Running: q.Counts[rota.Running],
			Failed: q.Counts[rota.Failed], Succeeded: q.Counts[rota.Succeeded]}
	}
	all := 0
	for _, row := range rows {
		all += row.Running
	}
	for i := range rows {
		rows[i].Share = hundredths(float64(rows[i].Running), float64(all))
	}
	slices.SortStableFunc(rows, func(a, b queueRow) int { return strings.Compare(a.Name, b.Name) })
	return rows
}

// Progress are the queue's counts as a job has them.
func (q queueRow) Progress() rota.Progress {
	c := q.Counts
	p := rota.Progress{Sealed: true, Blocked: c[rota.Blocked], Scheduled: c[rota.Scheduled], Held: c[rota.Held], Ready: c[rota.Ready],
		Running: c[rota.Running], Succeeded: c[rota.Succeeded], Failed: c[rota.Failed], Cancelled: c[rota.Cancelled]}
	for _, n := range c {
		p.Tasks += n
	}
	return p
}

type queuesPage struct{ Queues []queueRow }

func (p *Pages) queues(r *request) error {
	all, err := p.svc.Queues(r.Context())
	if err != nil {
		return err
	}
	r.Topics = []string{topicTasks, topicQueues}
	r.show("queues", "Queues", queuesPage{queueRows(all)})
	return nil
}

type queuePage struct {
	Queue    queueRow
	Nodes    []rota.Node // that serve it
	Jobs     []rota.Job
	Settings []settingField
	Limits   []settingField
	Upper    rota.TaskID
	Shares   *shares // nil: nothing of it runs
}

// settingField is a setting of a queue as a form has it.
type settingField struct{ Name, Label, Value, Help string }

func (p *Pages) queue(r *request) error {
	all, err := p.svc.Queues(r.Context())
	if err != nil {
		return err
	}
	name := r.PathValue("queue")
	i := slices.IndexFunc(all, func(q rota.Queue) bool { return q.Name == name })
	if i < 0 {
		return rota.Errorf(rota.ErrNotFound, "queue %q: there is none", name).WithFix("submitting a job to it makes it")
	}
	d := queuePage{Queue: queueRows(all[i : i+1])[0], Settings: settingFields(&all[i]), Limits: limitFields(all[i].Limits)}
	if d.Shares, err = p.sharesOf(r, &all[i]); err != nil {
		return err
	}
	nodes, err := p.svc.Nodes(r.Context())
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if served(name, []rota.Node{n}) {
			d.Nodes = append(d.Nodes, n)
		}
	}
	newest, err := p.svc.Jobs(r.Context(), rota.JobQuery{Max: 1})
	if err == nil && len(newest) > 0 {
		d.Upper = rota.SpanOf(newest[0].ID).Last
		span := rota.Span{First: rota.PlainTask(max(1, newest[0].ID-searchWindow)), Last: rota.SpanOf(newest[0].ID).Last}
		d.Jobs, err = p.svc.Jobs(r.Context(), rota.JobQuery{Filter: rota.Filter{Queue: name, Tasks: []rota.Span{span}}, Max: 10})
	}
	if err != nil {
		return err
	}
	r.Topics = []string{topicTasks, topicQueues, topicNodes}
	r.show("queue", "Queue "+name, d)
	return nil
}

func limitFields(a rota.Allowance) []settingField {
	size := func(n int64) string {
		if n == 0 {
			return ""
		}
		return rota.Size(n).String()
	}
	least := ""
	if a.Max.Nice != nil {
		least = strconv.Itoa(*a.Max.Nice)
	}
	return []settingField{
		{"mem", "Memory", size(a.Default.Memory), "512M, 4G"}, {"max-mem", "Memory at most", size(a.Max.Memory), "512M, 4G"},
		{"cpus", "CPUs", floatText(a.Default.CPUs), "0.5, 2"}, {"max-cpus", "CPUs at most", floatText(a.Max.CPUs), "0.5, 2"},
		{"pids", "Processes", wholeText(a.Default.PIDs), "number"}, {"max-pids", "Processes at most", wholeText(a.Max.PIDs), "number"},
		{"nice", "Niceness", wholeText(a.Default.Nice), "-20 to 19"}, {"min-nice", "Niceness at least", least, "-20 to 19"},
	}
}

func floatText(f float64) string {
	if f == 0 {
		return ""
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func wholeText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// settingFields are settings of a queue beside limits.
func settingFields(q *rota.Queue) []settingField {
	keep := ""
	if q.Keep > 0 {
		keep = q.Keep.String()
	}
	return []settingField{
		{"description", "Description", q.Description, "for people"},
		{"running", "Running at most, in all", wholeText(q.Running), "number"}, {"slots", "Running at most, on one node", wholeText(q.Slots), strconv.Itoa(rota.DefaultQueueSlots)},
		{"starts", "Starts in a second at most", floatText(q.Starts), "number"}, {"keep", "History is kept for", keep, "7d"},
		{"pin", "Only on these nodes", strings.Join(q.Pin, ", "), "names"}, {"ignore", "Not on these nodes", strings.Join(q.Ignore, ", "), "names"},
	}
}

// changeQueue changes a queue: what it does, or its settings.
func (p *Pages) changeQueue(r *request) error {
	name, ctx := r.PathValue("queue"), r.Context()
	if name == "new" {
		name = strings.TrimSpace(r.PostFormValue("name"))
	}
	var c rota.QueueChange
	yes, no := true, false
	to, said := "queues/"+name, "saved"
	var err error
	switch act := r.PostFormValue("act"); act {
	case "new":
		c.New = true
	case "pause", "resume":
		c.Paused, said = map[string]*bool{"pause": &yes, "resume": &no}[act], act+"d"
	case "drain":
		c.Draining, said = &yes, "takes no new jobs"
	case "refill":
		c.Draining, said = &no, "takes jobs again"
	case "settings":
		c, err = settingsOfForm(r)
	case "limits":
		c.Limits, err = limitsOfForm(r)
	case "rename":
		next := strings.TrimSpace(r.PostFormValue("name"))
		if _, err := p.svc.RenameQueue(ctx, name, next); err != nil {
			return err
		}
		r.done("queues/"+next, "queue %s: renamed", next)
		return nil
	case "delete":
		if err := p.svc.DropQueue(ctx, name); err != nil {
			return err
		}
		r.done("queues", "queue %s: deleted", name)
		return nil
	default:
		err = rota.Invalid("act %q: there is none", act)
	}
	if err == nil {
		_, err = p.svc.ChangeQueue(ctx, name, c)
	}
	if err == nil {
		r.done(to, "queue %s: %s", name, said)
	}
	return err
}

// settingsOfForm are the settings beside limits; a field that is left empty takes one away.
func settingsOfForm(r *request) (c rota.QueueChange, err error) {
	description := strings.TrimSpace(r.PostFormValue("description"))
	c.Description = &description
	for _, f := range []struct {
		name string
		to   **int
	}{{"running", &c.Running}, {"slots", &c.Slots}} {
		n, err := strconv.Atoi(orZero(r.PostFormValue(f.name)))
		if err != nil {
			return c, rota.Invalid("%s %q: not a number", f.name, r.PostFormValue(f.name))
		}
		*f.to = &n
	}
	starts, err := strconv.ParseFloat(orZero(r.PostFormValue("starts")), 64)
	if err != nil {
		return c, rota.Invalid("starts %q: not a number", r.PostFormValue("starts"))
	}
	keep, err := rota.ParseDuration(orZero(r.PostFormValue("keep")))
	if err != nil {
		return c, err
	}
	c.Starts, c.Keep = &starts, &keep
	names := func(name string) []string {
		return append([]string{}, strings.FieldsFunc(r.PostFormValue(name), func(c rune) bool { return c == ' ' || c == ',' })...)
	}
	c.Pin, c.Ignore = names("pin"), names("ignore")
	t := toldOfForm(r)
	c.MailTo, c.MailOn, c.Notify = t.to, t.on, t.notify
	return c, nil
}

func limitsOfForm(r *request) (c rota.AllowanceChange, err error) {
	for _, f := range []struct {
		name string
		to   *rota.LimitsChange
		nice string
	}{{"", &c.Default, "nice"}, {"max-", &c.Max, "min-nice"}} {
		mem, err := rota.ParseSize(orZero(r.PostFormValue(f.name + "mem")))
		if err != nil {
			return c, err
		}
		cpus, err := rota.ParseCPUs(orZero(r.PostFormValue(f.name + "cpus")))
		if err != nil {
			return c, err
		}
		pids, err := strconv.Atoi(orZero(r.PostFormValue(f.name + "pids")))
		if err != nil {
			return c, rota.Invalid("processes %q: not a number", r.PostFormValue(f.name+"pids"))
		}
		text := r.PostFormValue(f.nice)
		if text == "" {
			text = map[string]string{"nice": "0", "min-nice": strconv.Itoa(rota.MinNice)}[f.nice]
		}
		nice, err := rota.ParseNice(text)
		if err != nil {
			return c, err
		}
		bytes := int64(mem)
		*f.to = rota.LimitsChange{Memory: &bytes, CPUs: &cpus, PIDs: &pids, Nice: &nice}
	}
	return c, nil
}

func orZero(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return "0"
	}
	return s
}
