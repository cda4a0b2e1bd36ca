package rota

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// Array is the set of indexes of an array job, in the order in which the tasks are made.
type Array struct {
	Ranges []Range `json:"ranges"`
}

// Range is First, First+Step, … up to Last.
type Range struct {
	First int `json:"first"`
	Last  int `json:"last"`
	Step  int `json:"step,omitempty" doc:"default 1"`
}

// Len is how many indexes the range has.
func (r Range) Len() int { return (r.Last-r.First)/max(r.Step, 1) + 1 }

// Len is how many indexes the array has.
func (a *Array) Len() int {
	n := 0
	for _, r := range a.Ranges {
		n += r.Len()
	}
	return n
}

// Has reports whether an index is among them.
func (a *Array) Has(i int) bool {
	for _, r := range a.Ranges {
		if i >= r.First && i <= r.Last && (i-r.First)%max(r.Step, 1) == 0 {
			return true
		}
	}
	return false
}

// From yields the array's indexes from its nth (counted from 0) on.
func (a *Array) From(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		skip := n
		for _, r := range a.Ranges {
			if skip >= r.Len() {
				skip -= r.Len()
				continue
			}
			for i := r.First + skip*max(r.Step, 1); i <= r.Last; i += max(r.Step, 1) {
				if !yield(i) {
					return
				}
			}
			skip = 0
		}
	}
}

func (r Range) String() string {
	switch {
	case r.First == r.Last:
		return strconv.Itoa(r.First)
	case r.Step > 1:
		return fmt.Sprintf("%d-%d:%d", r.First, r.Last, r.Step)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

func (a *Array) String() string {
	parts := make([]string, len(a.Ranges))
	for i, r := range a.Ranges {
		parts[i] = r.String()
	}
	return strings.Join(parts, ",")
}

// ParseArray reads "1-1000", "0-9:2,20,30-40" and, with a limit of tasks that run at once, "1-1000%50".
// Indexes must rise, so that none is named twice.
func ParseArray(s string) (a *Array, limit int, err error) {
	set, lim, limited := strings.Cut(s, "%")
	if limited {
		if limit, err = strconv.Atoi(lim); err != nil || limit < 1 {
			return nil, 0, badArray(s, "after %% comes how many run at once, at least 1")
		}
	}
	a = &Array{}
	last := -1
	for part := range strings.SplitSeq(set, ",") {
		r, ok := parseRange(part)
		if !ok {
			return nil, 0, badArray(s, fmt.Sprintf("%q is no index and no range", part))
		}
		if r.First <= last || r.Last < r.First {
			return nil, 0, badArray(s, "indexes must rise")
		}
		if r.Last > MaxIndex {
			return nil, 0, badArray(s, fmt.Sprintf("the greatest index is %d", MaxIndex))
		}
		last = r.Last
		a.Ranges = append(a.Ranges, r)
	}
	return a, limit, nil
}

func parseRange(s string) (Range, bool) {
	span, step, stepped := strings.Cut(s, ":")
	first, last, ranged := strings.Cut(span, "-")
	if !ranged {
		last = first
	}
	f, err1 := strconv.ParseUint(first, 10, 31)
	l, err2 := strconv.ParseUint(last, 10, 31)
	r := Range{First: int(f), Last: int(l)}
	if err1 != nil || err2 != nil || (stepped && !ranged) {
		return r, false
	}
	if stepped {
		n, err := strconv.ParseUint(step, 10, 31)
		if err != nil || n < 1 {
			return r, false
		}
		r.Step = int(n)
	}
	return r, true
}

func badArray(s, why string) error {
	return Invalid("array %q: "+why, s).WithFix("write for example 1-1000, 0-9:2,20 or 1-1000%%50")
}
