package api

import (
	"maps"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

// FilterParams are a rota.Filter as query parameters. (Exported for huma, which does not see into others.)
type FilterParams struct {
	Tasks     string   `query:"tasks" doc:"jobs and elements, by commas: 42 (all of job 42), 42.7, 40-45, 42.1-42.9"`
	States    string   `query:"states" doc:"states, by commas"`
	Queue     string   `query:"queue"`
	Name      string   `query:"name" doc:"a pattern with * and ? for the job's name"`
	Labels    []string `query:"label,explode" doc:"KEY=VALUE; several must all fit"`
	Submitter string   `query:"submitter"`
	Error     string   `query:"error" doc:"the fingerprint of failures"`
	Schedule  string   `query:"schedule" doc:"the schedule that fired the job"`
	Parent    taskText `query:"parent" doc:"the task that submitted the job"`
	Node      string   `query:"node" doc:"the node of the task's latest attempt"`
}

func (p *FilterParams) filter() (f rota.Filter, err error) {
	f = rota.Filter{Queue: p.Queue, Name: p.Name, Submitter: p.Submitter, Schedule: p.Schedule, Parent: p.Parent.V, Error: p.Error, Node: p.Node}
	if f.Tasks, err = parseSpans(p.Tasks); err != nil {
		return f, err
	}
	if p.States != "" {
		for name := range strings.SplitSeq(p.States, ",") {
			s, err := rota.ParseState(name)
			if err != nil {
				return f, err
			}
			f.States = append(f.States, s)
		}
	}
	for _, l := range p.Labels {
		k, v, ok := strings.Cut(l, "=")
		if !ok {
			return f, rota.Invalid("query.label: %q: write KEY=VALUE", l)
		}
		if f.Labels == nil {
			f.Labels = map[string]string{}
		}
		f.Labels[k] = v
	}
	return f, nil
}

// filter is the other direction.
func (q params) filter(f *rota.Filter) params {
	states := make([]string, len(f.States))
	for i, s := range f.States {
		states[i] = s.String()
	}
	for _, k := range slices.Sorted(maps.Keys(f.Labels)) {
		q.Add("label", k+"="+f.Labels[k])
	}
	return q.text("tasks", formatSpans(f.Tasks)).text("states", strings.Join(states, ",")).text("queue", f.Queue).
		text("name", f.Name).text("submitter", f.Submitter).text("schedule", f.Schedule).text("parent", f.Parent.String()).
		text("error", f.Error).text("node", f.Node)
}

// parseSpans reads spans of tasks: "42" is all of job 42, "40-45" all of those jobs. "42." is the plain task of job
// 42 and none of its elements; only programs need that.
func parseSpans(s string) ([]rota.Span, error) {
	if s == "" {
		return nil, nil
	}
	var spans []rota.Span
	for part := range strings.SplitSeq(s, ",") {
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		from, err := rota.ParseTaskID(strings.TrimSuffix(first, "."))
		if err != nil {
			return nil, rota.Invalid("query.tasks: %v", err)
		}
		to, err := parseLast(last)
		if err != nil {
			return nil, rota.Invalid("query.tasks: %v", err)
		}
		spans = append(spans, rota.Span{First: from, Last: to})
	}
	return spans, nil
}

func parseLast(s string) (rota.TaskID, error) {
	plain, exact := strings.CutSuffix(s, ".")
	id, err := rota.ParseTaskID(plain)
	if err != nil || exact || strings.Contains(s, ".") {
		return id, err
	}
	_, last := id.Job().Tasks()
	return last, nil
}

// formatSpans writes spans so that parseSpans reads exactly them again.
func formatSpans(spans []rota.Span) string {
	parts := make([]string, len(spans))
	for i, s := range spans {
		last := s.Last.String()
		if whole := rota.SpanOf(s.Last.Job()); s.Last == whole.Last {
			last = s.Last.Job().String()
		} else if !s.Last.IsElement() {
			last += "."
		}
		parts[i] = s.First.String() + "-" + last
	}
	return strings.Join(parts, ",")
}
