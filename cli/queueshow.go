package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// describeQueue is a queue in lines: what was settled, and what is in it.
func describeQueue(q *rota.Queue) string {
	var f fields
	f.add("queue", q.Name)
	f.add("state", queueState(q))
	f.add("for", cleanLines(q.Description))
	f.add("order", q.Discipline)
	f.add("flows", flowsText(q))
	f.add("at once", atOnceText(q))
	f.add("nodes", nodesText(q))
	f.add("limits", orText(limitsText(q.Limits.Default), "none"))
	f.add("at most", orText(maximaText(q.Limits.Max), "no bounds"))
	f.add("executor", clean(q.Executor))
	f.add("shell", map[bool]string{true: "refused"}[!q.AllowsShell()])
	f.add("mail to", clean(strings.Join(q.MailTo, ", ")))
	f.add("mail on", string(q.MailOn))
	f.add("notify", clean(strings.Join(q.Notify, ", ")))
	f.add("wrap", clean(rota.Quoted(q.Wrap)))
	f.add("err-wrap", clean(rota.Quoted(q.ErrWrap)))
	f.add("retries", policyText(q.Retry))
	if q.Keep > 0 {
		f.add("keeps", "ended jobs for "+q.Keep.String())
	}
	f.add("repeated", dedupeText(q.Dedupe))
	p := rota.Progress{Blocked: q.Counts[rota.Blocked], Scheduled: q.Counts[rota.Scheduled], Held: q.Counts[rota.Held], Ready: q.Counts[rota.Ready],
		Running: q.Counts[rota.Running], Succeeded: q.Counts[rota.Succeeded], Failed: q.Counts[rota.Failed], Cancelled: q.Counts[rota.Cancelled], Sealed: true}
	for _, n := range q.Counts {
		p.Tasks += n
	}
	p.Made = p.Tasks
	f.add("tasks", taskCounts(p))
	return f.String()
}

// queueState is what somebody made the queue do other than usual.
func queueState(q *rota.Queue) string {
	switch {
	case q.Paused && q.Draining:
		return "paused, draining"
	case q.Paused:
		return "paused"
	case q.Draining:
		return "draining"
	}
	return ""
}

func flowsText(q *rota.Queue) string {
	var parts []string
	for _, flow := range slices.Sorted(maps.Keys(q.Weights)) {
		parts = append(parts, clean(flow)+" "+strconv.FormatFloat(q.Weights[flow], 'f', -1, 64))
	}
	text := string(q.Flow)
	if len(parts) > 0 {
		text = strings.TrimPrefix(text+"; weights "+strings.Join(parts, ", "), "; ")
	}
	return text
}

func atOnceText(q *rota.Queue) string {
	var parts []string
	if q.Slots > 0 {
		parts = append(parts, fmt.Sprintf("%s on a node", number(q.Slots)))
	}
	if q.Running > 0 {
		parts = append(parts, fmt.Sprintf("%s in all", number(q.Running)))
	}
	if q.FlowRunning > 0 {
		parts = append(parts, fmt.Sprintf("%s of a flow", number(q.FlowRunning)))
	}
	if q.Starts > 0 {
		parts = append(parts, fmt.Sprintf("%s started in a second", strconv.FormatFloat(q.Starts, 'f', -1, 64)))
	}
	return strings.Join(parts, ", ")
}

func nodesText(q *rota.Queue) string {
	switch {
	case len(q.Pin) > 0:
		return "only " + clean(strings.Join(q.Pin, ", "))
	case len(q.Ignore) > 0:
		return "not " + clean(strings.Join(q.Ignore, ", "))
	}
	return ""
}

func policyText(r *rota.Retry) string {
	if r == nil {
		return ""
	}
	var parts []string
	if r.Count != nil {
		parts = append(parts, strconv.Itoa(*r.Count))
	}
	if r.First > 0 {
		parts = append(parts, "first after "+r.First.String())
	}
	if r.Cap > 0 {
		parts = append(parts, r.Cap.String()+" apart at most")
	}
	if r.Jitter != nil {
		parts = append(parts, "jitter "+strconv.FormatFloat(*r.Jitter, 'f', -1, 64))
	}
	switch {
	case r.OnLost == rota.LostFail:
		parts = append(parts, "a lost attempt fails")
	case r.OnLost == rota.LostRetry:
		parts = append(parts, "a lost attempt is tried again")
	}
	if r.MaxLost != nil {
		parts = append(parts, plural(*r.MaxLost, "lost attempt")+" at most")
	}
	return strings.Join(parts, ", ")
}

func dedupeText(d rota.Dedupe) string {
	if d == (rota.Dedupe{}) {
		return ""
	}
	text := map[bool]string{true: "merged into the earlier job", false: "refused"}[d.Then == rota.RepeatMerge]
	if d.Window > 0 {
		text += ", until " + d.Window.String() + " after its end"
	}
	return text
}
