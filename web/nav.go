package web

import (
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// navItem is a page that all pages lead to.
type navItem struct {
	Path, Label, Key string
	Icon             template.HTMLAttr // the path of a picture of 24 by 24
	On               bool
	pages            string
}

var nav = []navItem{
	{Path: "", Label: "Overview", Key: "o", pages: "overview", Icon: "M3 12l9-8 9 8M5 10v10h5v-6h4v6h5V10"},
	{Path: "jobs", Label: "Jobs", Key: "j", pages: "jobs job log newjob confirm", Icon: "M8 6h13M8 12h13M8 18h13M3 6h.01M3 12h.01M3 18h.01"},
	{Path: "workflows", Label: "Workflows", Key: "w", pages: "workflows", Icon: "M3 5h6v5H3zM15 5h6v5h-6zM15 15h6v5h-6zM9 7.5h6M12 7.5v10h3"},
	{Path: "failed", Label: "Failed", Key: "f", pages: "failed", Icon: "M12 9v4M12 17h.01M10.3 3.9L2 18a2 2 0 0 0 1.7 3h16.6a2 2 0 0 0 1.7-3L13.7 3.9a2 2 0 0 0-3.4 0z"},
	{Path: "queues", Label: "Queues", Key: "q", pages: "queues queue", Icon: "M4 5h16v4H4zM4 11h16v4H4zM4 17h10v3H4z"},
	{Path: "cron", Label: "Cron", Key: "c", pages: "cron schedule", Icon: "M12 7v5l3 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0z"},
	{Path: "nodes", Label: "Nodes", Key: "n", pages: "nodes node", Icon: "M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01"},
	{Path: "stats", Label: "Stats", Key: "s", pages: "stats", Icon: "M4 20V10M10 20V4M16 20v-7M21 20H3"},
	{Path: "api", Label: "API", pages: "apidocs", Icon: "M8 8l-4 4 4 4M16 8l4 4-4 4M13 5l-2 14"},
	{Path: "settings", Label: "Settings", pages: "settings users tokens secrets audit", Icon: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4"},
}

// Nav are the pages that all pages lead to.
func (r *request) Nav() []navItem {
	out := make([]navItem, len(nav))
	for i, n := range nav {
		n.On = contains(strings.Fields(n.pages), r.Page)
		out[i] = n
	}
	return out
}

// Clock is the time at which the page was made.
func (r *request) Clock() string { return r.Now.In(r.zone).Format("15:04:05 MST") }

// LabelQuery is a search for a label, as an address has it.
func (r *request) LabelQuery(k, v string) string { return url.QueryEscape(term("label", k+"="+v)) }

// FailedQuery is a search among what failed.
func (r *request) FailedQuery(q string) string { return withTerm(q, "state", "failed") }

// CPUs is of how many CPUs an attempt used the time, on average.
func (r *request) CPUs(a rota.Attempt) string {
	if a.Started.IsZero() || a.Ended.IsZero() || a.CPUUser+a.CPUSystem == 0 {
		return "–"
	}
	ran := max(a.Ended.Sub(a.Started), time.Millisecond)
	return trimFloat(float64(a.CPUUser+a.CPUSystem) / float64(ran))
}

// QueueQuery is a search for what is in a queue.
func (r *request) QueueQuery(name string) string { return term("queue", name) }

// AllowsShell reports whether a queue takes jobs that a shell runs.
func (r *request) AllowsShell(q queueRow) bool { return q.Queue.AllowsShell() }
