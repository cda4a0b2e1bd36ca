package cli

import (
	"errors"
	"reflect"
	"testing"

	"github.com/rotaqueue/rota"
)

func TestParseSelectors(t *testing.T) {
	newest := func() (rota.JobID, error) { return 99, nil }
	job := rota.SpanOf
	one := func(j rota.JobID, i int) rota.Span {
		return rota.Span{First: rota.Element(j, i), Last: rota.Element(j, i)}
	}
	span := func(a, b rota.Span) rota.Span { return rota.Span{First: a.First, Last: b.Last} }
	for _, c := range []struct {
		args    []string
		spans   []rota.Span
		singles int
		pattern string
	}{
		{[]string{"42"}, []rota.Span{job(42)}, 1, ""},
		{[]string{"42.7"}, []rota.Span{one(42, 7)}, 1, ""},
		{[]string{"42.1-9"}, []rota.Span{span(one(42, 1), one(42, 9))}, 0, ""},
		{[]string{"1-5,8"}, []rota.Span{span(job(1), job(5)), job(8)}, 1, ""},
		{[]string{"1-5", "8", "9.3"}, []rota.Span{span(job(1), job(5)), job(8), one(9, 3)}, 2, ""},
		{[]string{"last"}, []rota.Span{job(99)}, 1, ""},
		{[]string{"last.3"}, []rota.Span{one(99, 3)}, 1, ""},
		{[]string{"name:train*"}, nil, 0, "train*"},
		{[]string{"name:a,b"}, nil, 0, "a,b"},
		{nil, nil, 0, ""},
	} {
		got, err := parseSelectors(c.args, newest)
		if err != nil || !reflect.DeepEqual(got.spans, c.spans) || len(got.singles) != c.singles || got.pattern != c.pattern {
			t.Errorf("%q = %+v, %v", c.args, got, err)
		}
	}
	for _, args := range [][]string{{""}, {"x"}, {"0"}, {"5-1"}, {"1-"}, {"-3"}, {"1,,2"}, {"42.x"}, {"42.9-1"}, {"name:"}, {"name:a", "name:b"},
		{"name:a", "1"}, {"lastly"}, {"1-2-3"}, {"42.-1"}, {"+1"}} {
		if got, err := parseSelectors(args, newest); err == nil || !errors.Is(err, rota.ErrInvalid) {
			t.Errorf("%q = %+v, %v; want it refused", args, got, err)
		}
	}
	none := errors.New("no job")
	if _, err := parseSelectors([]string{"last"}, func() (rota.JobID, error) { return 0, none }); !errors.Is(err, none) {
		t.Errorf("last without a job: %v", err)
	}
}
