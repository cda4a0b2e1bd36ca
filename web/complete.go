package web

import (
	"encoding/json"
	"strings"

	"github.com/rotaqueue/rota"
)

const completions = 12 // at most

// completion is how the last word of a search may go on.
type completion struct {
	Text  string `json:"text"` // what the word becomes
	About string `json:"about,omitempty"`
}

// complete tells how the last word of a search may go on: with the keys there are, and for some with their values.
func (p *Pages) complete(r *request) error {
	word := r.URL.Query().Get("word")
	key, value, pair := strings.Cut(word, ":")
	out := []completion{}
	add := func(text, about string) {
		if len(out) < completions && strings.HasPrefix(text, word) && text != word {
			out = append(out, completion{text, about})
		}
	}
	if !pair {
		for _, k := range keys {
			add(k.Key+":", k.About)
		}
	}
	values, err := p.valuesOf(r, key)
	if err != nil {
		return err
	}
	for _, v := range values {
		if pair && strings.HasPrefix(v, value) {
			add(term(key, v), "")
		}
	}
	r.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(r.w).Encode(out)
}

// valuesOf are the values that a key can have, where they are few.
func (p *Pages) valuesOf(r *request, key string) (out []string, err error) {
	switch key {
	case "state":
		out = []string{"active", "waiting"}
		for _, s := range rota.States {
			out = append(out, s.String())
		}
	case "queue":
		queues, err := p.svc.Queues(r.Context())
		for _, q := range queues {
			out = append(out, q.Name)
		}
		return out, err
	case "node":
		nodes, err := p.svc.Nodes(r.Context())
		for _, n := range nodes {
			out = append(out, n.Name)
		}
		return out, err
	case "schedule":
		all, err := p.svc.Schedules(r.Context())
		for _, s := range all {
			out = append(out, s.Name)
		}
		return out, err
	}
	return out, nil
}
