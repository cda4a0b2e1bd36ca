package courier

import (
	"fmt"
	"strings"

	"github.com/rotaqueue/rota"
)

// digestMost is how many events a mail tells of in full; of those beyond it each has a line.
const digestMost = 20

// letter is the mail about some events.
func letter(events []rota.Event) (subject, text string) {
	if len(events) == 1 {
		return headline(&events[0]), body(&events[0])
	}
	kinds := map[rota.EventKind]int{}
	for i := range events {
		kinds[events[i].Kind]++
	}
	var counts []string
	for _, k := range []rota.EventKind{rota.EventFailed, rota.EventAlarm, rota.EventCancelled, rota.EventSucceeded} {
		if n := kinds[k]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, words[k]))
		}
	}
	subject = fmt.Sprintf("[rota] %s", strings.Join(counts, ", "))
	var b strings.Builder
	for i := range events {
		fmt.Fprintf(&b, "%s\n", strings.TrimPrefix(headline(&events[i]), "[rota] "))
	}
	for i := range events[:min(len(events), digestMost)] {
		fmt.Fprintf(&b, "\n---- %s\n\n%s", strings.TrimPrefix(headline(&events[i]), "[rota] "), body(&events[i]))
	}
	return subject, b.String()
}

var words = map[rota.EventKind]string{rota.EventFailed: "failed", rota.EventAlarm: "alarms", rota.EventCancelled: "cancelled", rota.EventSucceeded: "succeeded"}

func headline(e *rota.Event) string {
	if e.Kind == rota.EventAlarm {
		return clean("[rota] schedule " + e.Schedule + ": " + e.Text)
	}
	text := fmt.Sprintf("[rota] job %v", e.Job)
	if e.Name != "" {
		text += " " + e.Name
	}
	text += " " + words[e.Kind]
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return clean(text)
}

// clean leaves what a line of a header can have.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "…"
	}
	return text
}

func body(e *rota.Event) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-10s %s\n", name+":", clean(value))
		}
	}
	if e.Job != 0 {
		line("job", strings.TrimSpace(e.Job.String()+" "+e.Name))
	}
	line("schedule", e.Schedule)
	line("queue", e.Queue)
	line("by", e.Submit)
	line("at", e.At.UTC().Format("2006-01-02 15:04:05 MST"))
	if e.Tasks > 1 {
		line("tasks", fmt.Sprintf("%d, of which %d failed and %d were cancelled", e.Tasks, e.Failed, e.Cancelled))
		if e.Task != 0 {
			line("task", e.Task.String())
		}
	}
	switch {
	case e.Exit != nil:
		line("exit", fmt.Sprint(*e.Exit))
	case e.Signal != 0:
		line("signal", fmt.Sprint(e.Signal))
	}
	line("reason", e.Reason)
	line("more", e.Link)
	if e.Text != "" {
		fmt.Fprintf(&b, "\n%s\n", e.Text)
	}
	for _, out := range []struct{ name, text string }{{"error output", e.Errors}, {"output", e.Output}} {
		if out.text != "" {
			fmt.Fprintf(&b, "\nThe last lines of its %s:\n\n%s\n", out.name, strings.TrimRight(out.text, "\n"))
		}
	}
	return b.String()
}
