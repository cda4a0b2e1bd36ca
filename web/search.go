package web

import (
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
)

// keys are what can be searched for as key:value, and what each says.
var keys = []struct{ Key, About string }{
	{"state", "blocked, scheduled, held, ready, running, succeeded, failed, cancelled; several with commas"},
	{"queue", "the queue's name"},
	{"name", "a pattern of * and ? for the job's name"},
	{"by", "who submitted it"},
	{"label", "K=V"},
	{"node", "where it ran last"},
	{"error", "what failures have in common, from the page Failed"},
	{"schedule", "the schedule that fired it"},
	{"parent", "the task that submitted it"},
	{"job", "numbers: 42, 40-50, 42.7"},
}

// search is what somebody searches for: words for the name, numbers, and key:value.
type search struct {
	rota.Filter
	Active bool // state:active: what has not ended
}

// parseSearch reads a search. Words that stand alone are looked for within names, in their order.
func parseSearch(text string) (s search, err error) {
	var words []string
	for _, w := range searchWords(text) {
		key, value, pair := strings.Cut(w, ":")
		switch {
		case pair && value != "" && isKey(key):
			err = s.set(key, value)
		case strings.Contains(w, "=") && !strings.HasPrefix(w, "="):
			err = s.set("label", w)
		case s.number(w) == nil:
		default:
			words = append(words, w)
		}
		if err != nil {
			return s, err
		}
	}
	if len(words) > 0 && s.Name == "" {
		s.Name = "*" + strings.Join(words, "*") + "*"
	}
	return s, nil
}

func isKey(key string) bool {
	return key == "user" || slices.ContainsFunc(keys, func(k struct{ Key, About string }) bool { return k.Key == key })
}

func (s *search) set(key, value string) error {
	switch key {
	case "state":
		return s.states(value)
	case "queue":
		s.Queue = value
	case "name":
		s.Name = value
	case "by", "user":
		s.Submitter = value
	case "label":
		k, v, ok := strings.Cut(value, "=")
		if !ok {
			return rota.Invalid("label:%s: write label:KEY=VALUE", value)
		}
		if s.Labels == nil {
			s.Labels = map[string]string{}
		}
		s.Labels[k] = v
	case "node":
		s.Node = value
	case "error":
		s.Error = value
	case "schedule":
		s.Schedule = value
	case "parent":
		return s.Parent.UnmarshalText([]byte(value))
	case "job":
		return s.number(value)
	}
	return nil
}

func (s *search) states(value string) error {
	for name := range strings.SplitSeq(value, ",") {
		switch name {
		case "active":
			s.Active = true
		case "waiting":
			s.States = append(s.States, rota.Blocked, rota.Scheduled, rota.Held, rota.Ready)
		default:
			st, err := rota.ParseState(name)
			if err != nil {
				return err
			}
			s.States = append(s.States, st)
		}
	}
	return nil
}

// number reads "42", "#42", "42.7" and "40-50".
func (s *search) number(w string) error {
	w = strings.TrimPrefix(w, "#")
	first, last, ranged := strings.Cut(w, "-")
	from, err := rota.ParseTaskID(first)
	if err != nil {
		return err
	}
	span := rota.Span{First: from, Last: from}
	if !from.IsElement() {
		span = rota.SpanOf(from.Job())
	}
	if ranged {
		to, err := rota.ParseTaskID(last)
		if err != nil {
			return err
		}
		if span.Last = to; !to.IsElement() {
			span.Last = rota.SpanOf(to.Job()).Last
		}
	}
	if span.Last < span.First {
		return rota.Invalid("%s: the range runs backwards", w)
	}
	s.Tasks = append(s.Tasks, span)
	return nil
}

// searchWords parts a search at its spaces, but for those within quotes.
func searchWords(text string) (words []string) {
	var b strings.Builder
	in := false
	end := func() {
		if b.Len() > 0 {
			words = append(words, b.String())
			b.Reset()
		}
	}
	for _, r := range text {
		switch {
		case r == '"':
			in = !in
		case r == ' ' && !in:
			end()
		default:
			b.WriteRune(r)
		}
	}
	end()
	return words
}

// term writes a key and its value as a search has it.
func term(key, value string) string {
	if strings.ContainsAny(value, " \t") {
		return key + `:"` + strings.ReplaceAll(value, `"`, "?") + `"`
	}
	return key + ":" + value
}

// withTerm is a search with the terms of a key replaced; no value takes them away.
func withTerm(text, key, value string) string {
	var out []string
	for _, w := range searchWords(text) {
		k, v, pair := strings.Cut(w, ":")
		switch {
		case pair && k == key:
		case pair && isKey(k):
			out = append(out, term(k, v))
		default:
			out = append(out, w)
		}
	}
	if value != "" {
		out = append(out, term(key, value))
	}
	return strings.Join(out, " ")
}

// narrowed is the filter without what lies beyond a span.
func narrowed(f rota.Filter, to rota.Span) rota.Filter {
	if len(f.Tasks) == 0 {
		f.Tasks = []rota.Span{to}
		return f
	}
	var kept []rota.Span
	for _, s := range f.Tasks {
		s.First, s.Last = max(s.First, to.First), min(s.Last, to.Last)
		if s.First <= s.Last {
			kept = append(kept, s)
		}
	}
	if len(kept) == 0 { // nothing at all, not everything
		kept = []rota.Span{{First: rota.PlainTask(rota.MaxJobID), Last: rota.PlainTask(rota.MaxJobID)}}
	}
	f.Tasks = kept
	return f
}
