package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

const (
	topMost     = 500 // jobs that are looked at
	topLogBytes = 64 << 10
)

// topOrders are the orders of the list. All but the first two are among the newest that fit.
var topOrders = []string{"newest", "oldest", "state", "queue", "name", "left", "failed"}

// What the list has.
var topKinds = []string{"not ended", "failed", "all"}

// topView is what "rota top" shows, and what a key does to that. It asks nobody.
type topView struct {
	status rota.Status
	queues []rota.Queue
	nodes  []rota.Node
	jobs   []rota.Job
	at     rota.JobID // the job that is chosen
	first  int        // row of the list that stands uppermost

	filter string
	order  string
	kind   int
	log    *topLog // what is shown in place of the list
	help   bool

	asking *topAsking
	said   string
	wrong  bool // what is said is that the server could not be asked

	do    *act // what is to be done now
	doTo  rota.JobID
	stale bool // it is to be looked again at once
}

// topLog is a job's output.
type topLog struct {
	job    rota.JobID
	task   rota.TaskID
	stream rota.Stream
	text   string
	ended  bool
	cut    bool // it has a beginning that is not shown
}

// topAsking is a question on the line above the list: a text to be typed, or whether something is meant.
type topAsking struct {
	text   string // typed so far, of a filter
	filter bool
	act    *act
	job    rota.JobID
}

// topFilter reads "state:failed queue:gpu team=web train".
func topFilter(text string) (f rota.Filter, err error) {
	var flags filterFlags
	var words []string
	for word := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(word, ":")
		switch {
		case key == "state" && value != "":
			flags.states = append(flags.states, strings.Split(value, ",")...)
		case key == "queue" && value != "":
			flags.queue = value
		case key == "user" && value != "":
			flags.user = value
		case key == "name" && value != "":
			flags.name = value
		case strings.Contains(word, "="):
			flags.labels = append(flags.labels, word)
		default:
			words = append(words, word)
		}
	}
	if flags.name == "" && len(words) > 0 {
		flags.name = "*" + strings.Join(words, "*") + "*"
	}
	return f, flags.add(&f)
}

// query asks for the jobs of the list.
func (v *topView) query(f rota.Filter) rota.JobQuery {
	q := rota.JobQuery{Filter: f, Max: topMost, Oldest: v.order == "oldest"}
	switch topKinds[v.kind] {
	case "not ended":
		q.Active = true
	case "failed":
		q.States = []rota.State{rota.Failed}
	}
	return q
}

// take puts jobs in order. The one that was chosen stays that.
func (v *topView) take(jobs []rota.Job) {
	v.jobs = jobs
	slices.SortStableFunc(jobs, func(a, b rota.Job) int {
		switch v.order {
		case "state":
			return cmp.Compare(b.State(), a.State())
		case "queue":
			return cmp.Compare(a.Queue, b.Queue)
		case "name":
			return cmp.Compare(a.Spec.Name, b.Spec.Name)
		case "left":
			return cmp.Compare(b.Left(), a.Left())
		case "failed":
			return cmp.Compare(b.Failed, a.Failed)
		}
		return 0
	})
	if len(jobs) > 0 && v.chosen() < 0 {
		v.at = jobs[0].ID
	}
}

// chosen is where the chosen job stands; -1: nowhere.
func (v *topView) chosen() int {
	return slices.IndexFunc(v.jobs, func(j rota.Job) bool { return j.ID == v.at })
}

// headline says how all stands.
func (v *topView) headline(now time.Time) string {
	counts := map[rota.State]int{}
	for i := range v.queues {
		for s, n := range v.queues[i].Counts {
			counts[s] += n
		}
	}
	up, slots := 0, 0
	for i := range v.nodes {
		if n := &v.nodes[i]; n.State != rota.NodeDown && n.State != rota.NodeLost {
			up++
			slots += n.Slots
		}
	}
	waiting := counts[rota.Ready] + counts[rota.Scheduled] + counts[rota.Held] + counts[rota.Blocked]
	return fmt.Sprintf("rota %s  %s waiting  %s/%s running  %s failed  %s up  %s", v.status.Node, number(waiting), number(counts[rota.Running]), number(slots),
		number(counts[rota.Failed]), plural(up, "node"), now.Format("15:04:05 MST"))
}

// lines are the page, for a terminal of that size.
func (v *topView) lines(now time.Time, columns, rows int, colour bool) []string {
	out := []string{bold(cut(v.headline(now), columns), colour), v.second()}
	rest := max(rows-len(out)-1, 1)
	switch {
	case v.help:
		out = append(out, topHelp...)
	case v.log != nil:
		out = append(out, v.log.lines(columns, rest)...)
	default:
		out = append(out, v.list(now, columns, rest, colour)...)
	}
	for len(out) < rows-1 {
		out = append(out, "")
	}
	out = append(out[:min(len(out), max(rows-1, 1))], tint(cut(v.foot(), columns), tintGrey, colour))
	for i, line := range out {
		if plainWidth(line) > columns {
			out[i] = cut(clean(line), columns)
		}
	}
	return out
}

// second is the line that asks or tells something, or says what is shown.
func (v *topView) second() string {
	switch {
	case v.asking != nil && v.asking.filter:
		return "filter: " + clean(v.asking.text) + "_"
	case v.asking != nil:
		return v.asking.act.use + " job " + v.asking.job.String() + "? y or n"
	case v.said != "":
		return v.said
	case v.log != nil:
		state := "live"
		if v.log.ended {
			state = "ended"
		}
		return fmt.Sprintf("%s of task %v, %s", v.log.stream, v.log.task, state)
	}
	text := topKinds[v.kind] + ", " + v.order
	if v.order != "newest" && v.order != "oldest" {
		text += " first"
	}
	if v.filter != "" {
		text += ", filter: " + clean(v.filter)
	}
	return text
}

func (v *topView) foot() string {
	switch {
	case v.help:
		return "any key goes back"
	case v.log != nil:
		return "e other stream  q back"
	}
	return "l output  c cancel  K kill  r retry  / filter  s order  Tab kind  ? keys  q quit"
}

var topHelp = []string{"", "  up, down, k, j   choose a job         PgUp, PgDn, g, G   further", "  l, Enter         its output, live     e                  the other stream there",
	"  c                cancel it            K                  kill it, without grace", "  r                try what failed of it again", "  /                filter: words of names, state:, queue:, user:, name:, LABEL=VALUE",
	"  s                the next order       Tab                not ended, failed, all", "  q, Ctrl-C        end"}

// list is the part of the list that has the chosen job.
func (v *topView) list(now time.Time, columns, rows int, colour bool) []string {
	if len(v.jobs) == 0 {
		return []string{"no jobs"}
	}
	t, _ := jobList.table(style{now: now}, each(v.jobs))
	gutter, mark := "  ", "> " // where there are no colours
	if t.columns, t.colour = columns, colour; colour {
		gutter, mark = "", ""
	}
	t.columns -= len(gutter)
	all := strings.Split(strings.TrimSuffix(t.String(), "\n"), "\n")
	room, at := max(rows-1, 1), max(v.chosen(), 0)
	v.first = min(max(v.first, at-room+1, 0), at)
	out := []string{gutter + all[0]}
	for i := v.first; i < min(v.first+room, len(v.jobs)); i++ {
		line := gutter + all[i+1]
		if i == at {
			line = mark + inverse(cut(clean(all[i+1]), columns-len(mark)), columns, colour)
		}
		out = append(out, line)
	}
	return out
}

// inverse is a line that is told from the others by its colours.
func inverse(line string, columns int, colour bool) string {
	if !colour {
		return line
	}
	return "\x1b[7m" + line + strings.Repeat(" ", max(columns-width(line), 0)) + "\x1b[0m"
}

func bold(s string, colour bool) string { return tint(s, "1", colour) }

// lines are the last of the output. What was written over with a carriage return is as it was left.
func (l *topLog) lines(columns, rows int) []string {
	if l.text == "" {
		if l.ended {
			return []string{"nothing was written here"}
		}
		return []string{"nothing yet"}
	}
	var out []string
	for line := range strings.SplitSeq(strings.TrimSuffix(l.text, "\n"), "\n") {
		line = strings.TrimRight(line, "\r")
		if i := strings.LastIndexByte(line, '\r'); i >= 0 {
			line = line[i+1:]
		}
		out = append(out, cut(clean(line), columns))
	}
	return out[max(len(out)-rows, 0):]
}
