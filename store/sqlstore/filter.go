package sqlstore

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// condition builds a WHERE clause over task t and job j.
type condition struct {
	parts []string
	args  []any
}

// arg adds an argument and returns its place.
func (c *condition) arg(v any) string {
	c.args = append(c.args, v)
	return "?" + strconv.Itoa(len(c.args))
}

func (c *condition) and(format string, values ...any) {
	places := make([]any, len(values))
	for i, v := range values {
		places[i] = c.arg(v)
	}
	c.parts = append(c.parts, fmt.Sprintf(format, places...))
}

func (c *condition) where() string {
	if len(c.parts) == 0 {
		return " WHERE 1 = 1 "
	}
	return " WHERE " + strings.Join(c.parts, " AND ") + " "
}

// stateList writes states for an IN.
func stateList(states []rota.State) string {
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = strconv.Itoa(int(s))
	}
	return strings.Join(names, ",")
}

// job adds the filter's conditions on the job.
func (c *condition) job(f *rota.Filter) error {
	if f.Name != "" {
		c.and("glob(%s, j.name)", f.Name)
	}
	if f.Submitter != "" {
		c.and("j.submitter = %s", f.Submitter)
	}
	if f.Schedule != "" {
		c.and("j.schedule = %s", f.Schedule)
	}
	if f.Parent != 0 {
		c.and("j.parent = %s", int64(f.Parent))
	}
	for k, v := range f.Labels {
		c.and("json_extract(j.labels, '$.' || json_quote(%s)) = %s", k, v)
	}
	c.parts = append(c.parts, "j.removing = 0")
	return nil
}

// task adds the filter's conditions on the task, but for its spans.
func (c *condition) task(f *rota.Filter) {
	switch {
	case onlyRunning(f):
		c.running(f.Node)
	case len(f.States) > 0:
		c.parts = append(c.parts, "t.state IN ("+stateList(f.States)+")")
	}
	if f.Queue != "" {
		c.and("t.lane IN (SELECT id FROM lane WHERE queue = %s)", f.Queue)
	}
	if f.Error != "" {
		c.and("t.id IN (SELECT task FROM failure WHERE fingerprint = %s)", f.Error)
	}
	if f.Node != "" && !onlyRunning(f) {
		c.and("t.session IN (SELECT id FROM session WHERE node = %s)", f.Node)
	}
	if len(f.Queues) > 0 {
		c.and("t.lane IN (SELECT id FROM lane WHERE queue IN (SELECT CAST(value AS TEXT) FROM json_each(%s)))", texts(f.Queues))
	}
}

// onlyRunning reports whether a filter is for what runs. That is little beside all else, and in an index of its own.
func onlyRunning(f *rota.Filter) bool { return len(f.States) == 1 && f.States[0] == rota.Running }

// running adds that the task runs, on a node if one is named.
func (c *condition) running(node string) {
	if node == "" {
		c.parts = append(c.parts, "t.id IN (SELECT r.id FROM task r WHERE r.state = 5)")
		return
	}
	c.and("t.id IN (SELECT r.id FROM task r WHERE r.state = 5 AND r.session IN (SELECT id FROM session WHERE node = %s))", node)
}

// lane adds the filter's queue as a condition on the job: its tasks stand in the lane that it was submitted to.
func (c *condition) lane(f *rota.Filter) {
	if f.Queue != "" {
		c.and("j.lane IN (SELECT id FROM lane WHERE queue = %s)", f.Queue)
	}
	if len(f.Queues) > 0 {
		c.and("j.lane IN (SELECT id FROM lane WHERE queue IN (SELECT CAST(value AS TEXT) FROM json_each(%s)))", texts(f.Queues))
	}
}

// texts are texts as a JSON array, the form in which sets go into a statement.
func texts(all []string) string {
	b, err := json.Marshal(all)
	if err != nil {
		panic(err) // of texts never
	}
	return string(b)
}

// wholeJobs adds that all tasks of the job are in the filter's spans.
func (c *condition) wholeJobs(f *rota.Filter) {
	if len(f.Tasks) == 0 {
		return
	}
	parts := make([]string, len(f.Tasks))
	for i, s := range f.Tasks {
		// A plain job's task is the first id that a task of the job can have; its upload has no elements.
		parts[i] = fmt.Sprintf("(j.id << 24) >= %s AND (j.id << 24 | CASE WHEN j.many = 1 THEN 16777215 ELSE 0 END) <= %s",
			c.arg(int64(s.First)), c.arg(int64(s.Last)))
	}
	c.parts = append(c.parts, "("+strings.Join(parts, " OR ")+")")
}

// spans adds the filter's spans as a condition on a column that holds a task's id.
func (c *condition) spans(f *rota.Filter, column string) {
	if len(f.Tasks) == 0 {
		return
	}
	parts := make([]string, len(f.Tasks))
	for i, s := range f.Tasks {
		parts[i] = fmt.Sprintf("%s BETWEEN %s AND %s", column, c.arg(int64(s.First)), c.arg(int64(s.Last)))
	}
	c.parts = append(c.parts, "("+strings.Join(parts, " OR ")+")")
}

// jobSpans adds that the job has a task in the filter's spans. Spans of whole jobs need no look at the tasks.
func (c *condition) jobSpans(f *rota.Filter) {
	if len(f.Tasks) == 0 {
		return
	}
	parts := make([]string, len(f.Tasks))
	for i, s := range f.Tasks {
		lo, hi := s.First.Job(), s.Last.Job()
		parts[i] = fmt.Sprintf("j.id BETWEEN %s AND %s", c.arg(int64(lo)), c.arg(int64(hi)))
		first, _ := lo.Tasks()
		_, last := hi.Tasks()
		if s.First != first || s.Last != last {
			parts[i] += fmt.Sprintf(" AND EXISTS (SELECT 1 FROM task t WHERE t.id BETWEEN %s AND %s AND t.id >> 24 = j.id)",
				c.arg(int64(s.First)), c.arg(int64(s.Last)))
		}
	}
	c.parts = append(c.parts, "("+strings.Join(parts, " OR ")+")")
}

// elements adds that the job has a task that fits the filter. The job's counters rule out most jobs first.
func (c *condition) elements(f *rota.Filter) {
	if f.Error != "" {
		c.and("j.failed > 0 AND EXISTS (SELECT 1 FROM failure f WHERE f.fingerprint = %s AND f.task BETWEEN j.id << 24 AND (j.id << 24 | 16777215))", f.Error)
	}
	c.someTask(f)
	if len(f.States) == 0 && f.Queue == "" && len(f.Queues) == 0 {
		return
	}
	if len(f.States) > 0 {
		var may []string
		for _, s := range f.States {
			may = append(may, mayHave(s))
		}
		c.parts = append(c.parts, "("+strings.Join(may, " OR ")+")")
	}
	c.lane(f)
}

// someTask adds that some task of the job fits what the filter says of latest attempts.
func (c *condition) someTask(f *rota.Filter) {
	if f.Error == "" && f.Node == "" {
		return
	}
	of := condition{args: c.args}
	of.task(&rota.Filter{States: f.States, Error: f.Error, Node: f.Node})
	c.args = of.args
	c.parts = append(c.parts, "EXISTS (SELECT 1 FROM task t WHERE t.id BETWEEN j.id << 24 AND (j.id << 24 | 16777215) AND "+strings.Join(of.parts, " AND ")+")")
}

// mayHave is the condition that a job has a task in a state.
func mayHave(s rota.State) string {
	in := fmt.Sprintf("EXISTS (SELECT 1 FROM task t WHERE t.id BETWEEN j.id << 24 AND (j.id << 24 | 16777215) AND t.state = %d)", int(s))
	switch s {
	case rota.Failed:
		return "j.failed > 0"
	case rota.Cancelled:
		return "j.cancelled > 0"
	case rota.Succeeded:
		return "j.tasks - j.tasks_left - j.failed - j.cancelled > 0"
	case rota.Ready:
		// Elements are taken from the first on: the one to be found is near the last.
		return "(j.tasks_left > 0 AND (j.made < j.tasks OR (SELECT 1 FROM task t WHERE t.id BETWEEN j.id << 24 AND (j.id << 24 | 16777215)" +
			" AND t.state = 4 ORDER BY t.id DESC LIMIT 1) = 1))"
	case rota.Running: // those are few, and in an index of their own
		return "j.id IN (SELECT t.id >> 24 FROM task t WHERE t.state = 5)"
	}
	return "(j.tasks_left > 0 AND " + in + ")"
}
