package sqlstore

import (
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
	if len(f.States) > 0 {
		c.parts = append(c.parts, "t.state IN ("+stateList(f.States)+")")
	}
	if f.Queue != "" {
		c.and("t.lane IN (SELECT id FROM lane WHERE queue = %s)", f.Queue)
	}
}

// lane adds the filter's queue as a condition on the job: its tasks stand in the lane that it was submitted to.
func (c *condition) lane(f *rota.Filter) {
	if f.Queue != "" {
		c.and("j.lane IN (SELECT id FROM lane WHERE queue = %s)", f.Queue)
	}
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
	if len(f.States) == 0 && f.Queue == "" {
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
		return "(j.tasks_left > 0 AND (j.made < j.tasks OR " + in + "))"
	}
	return "(j.tasks_left > 0 AND " + in + ")"
}
