package rota

import (
	"cmp"
	"math"
	"strconv"
)

// Limits bound what one attempt may use of its machine. Zero is no limit.
type Limits struct {
	Memory int64   `json:"mem,omitempty" doc:"bytes of memory that all its processes may use together; one that uses more is ended"`
	CPUs   float64 `json:"cpus,omitempty" doc:"CPUs whose time all its processes may use together, such as 1.5"`
	PIDs   int     `json:"pids,omitempty" doc:"processes and threads that it may have at once"`
	Nice   int     `json:"nice,omitempty" doc:"from -20 (first) to 19 (last): its place among the programs of its machine"`
}

// Maxima are what the limits of an attempt may be at most. Zero is no maximum.
type Maxima struct {
	Memory int64   `json:"mem,omitempty" doc:"bytes"`
	CPUs   float64 `json:"cpus,omitempty"`
	PIDs   int     `json:"pids,omitempty"`
	Nice   *int    `json:"nice,omitempty" doc:"the least niceness: nobody comes before this; none: any"`
}

// Allowance is what a queue, or a node, has to say of its attempts' limits.
type Allowance struct {
	Default Limits `json:"default,omitzero" doc:"where the job says nothing"`
	Max     Maxima `json:"max,omitzero" doc:"what a job may ask for at most; a job without a limit has this one"`
}

// Or fills what l leaves open from a default.
func (l Limits) Or(d Limits) Limits {
	return Limits{Memory: cmp.Or(l.Memory, d.Memory), CPUs: cmp.Or(l.CPUs, d.CPUs), PIDs: cmp.Or(l.PIDs, d.PIDs), Nice: cmp.Or(l.Nice, d.Nice)}
}

// Within lowers limits to what they may be at most. Where there is no limit the maximum is it.
func (l Limits) Within(m Maxima) Limits {
	l.Memory, l.CPUs, l.PIDs = lower(l.Memory, m.Memory), lower(l.CPUs, m.CPUs), lower(l.PIDs, m.PIDs)
	if m.Nice != nil {
		l.Nice = max(l.Nice, *m.Nice)
	}
	return l
}

// lower is the lower of two bounds, of which 0 is none.
func lower[T int | int64 | float64](a, b T) T {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// LimitsOf are the limits that hold for an attempt: the job's own, else its queue's default, else its node's; of all of
// them no more than the queue's and the node's maxima (D6).
func LimitsOf(own Limits, queue, node Allowance) Limits {
	return own.Or(queue.Default).Or(node.Default).Within(queue.Max).Within(node.Max)
}

// IsZero reports whether it says nothing.
func (a Allowance) IsZero() bool { return a == Allowance{} }

// AllowanceChange changes what it names of an allowance and leaves the rest.
type AllowanceChange struct {
	Default LimitsChange `json:"default,omitzero"`
	Max     LimitsChange `json:"max,omitzero"`
}

// LimitsChange has the limits that are to be changed. 0 takes one away; the least niceness is taken away by -20, which
// allows all there is.
type LimitsChange struct {
	Memory *int64   `json:"mem,omitempty" doc:"bytes; 0: none"`
	CPUs   *float64 `json:"cpus,omitempty" doc:"0: none"`
	PIDs   *int     `json:"pids,omitempty" doc:"0: none"`
	Nice   *int     `json:"nice,omitempty" doc:"0: none; as the least that is allowed, -20: any"`
}

// Changed is the allowance with a change made.
func (a Allowance) Changed(c AllowanceChange) Allowance {
	change(&a.Default.Memory, c.Default.Memory)
	change(&a.Default.CPUs, c.Default.CPUs)
	change(&a.Default.PIDs, c.Default.PIDs)
	change(&a.Default.Nice, c.Default.Nice)
	change(&a.Max.Memory, c.Max.Memory)
	change(&a.Max.CPUs, c.Max.CPUs)
	change(&a.Max.PIDs, c.Max.PIDs)
	if n := c.Max.Nice; n != nil {
		if a.Max.Nice = n; *n == MinNice {
			a.Max.Nice = nil
		}
	}
	return a
}

func change[T any](field, to *T) {
	if to != nil {
		*field = *to
	}
}

// ParseCPUs reads a number of CPUs: "2", "0.5". It is never negative; whether it is a sensible one is checked with the
// limits.
func ParseCPUs(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0) || math.IsInf(n, 0) {
		return 0, Invalid("CPUs %q: write a number such as 2 or 0.5", text)
	}
	return n, nil
}

// ParseNice reads a niceness.
func ParseNice(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < MinNice || n > MaxNice {
		return 0, Invalid("niceness %q: write a number from %d (first) to %d (last)", text, MinNice, MaxNice)
	}
	return n, nil
}

// Sample is what an attempt's processes used, together, at one moment.
type Sample struct {
	Memory    int64    `json:"memory" doc:"bytes"`
	CPU       Duration `json:"cpu" doc:"CPU time since its start"`
	Processes int      `json:"processes"`
}
