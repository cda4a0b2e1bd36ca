package rota

import (
	"slices"
	"strconv"
	"strings"
)

// Edit changes jobs that have not ended: what it does not name stays as it is. What runs of them goes on as it began.
type Edit struct {
	Queue    *string `json:"queue,omitempty" doc:"moves them there"`
	Executor *string `json:"executor,omitempty" doc:"gives what they run to it"`
	On       *string `json:"on,omitempty" doc:"brings them to the node of that name, or to those with a label KEY=VALUE; empty: to any"`
	Priority *int    `json:"priority,omitempty"`
	Raise    int     `json:"raise,omitempty" doc:"of the priority, by so much; below 0 lowers it"`
	Spec     *Spec   `json:"spec,omitempty" doc:"all of it, of a single job; which tasks it has cannot change"`
}

// Empty reports whether the edit changes nothing.
func (e *Edit) Empty() bool { return e == nil || *e == Edit{} }

// Apply is a job's spec as the edit makes it, or an error that says why it cannot be.
func (e *Edit) Apply(s Spec) (Spec, error) {
	if e.Spec != nil {
		old := s
		s = *e.Spec
		if s.Lines != old.Lines || (s.Array == nil) != (old.Array == nil) || s.Array != nil && s.Array.String() != old.Array.String() {
			return s, Invalid("edit: which tasks the job has cannot change").WithFix("submit it anew: rota again")
		}
		if s.Blob != old.Blob {
			return s, Invalid("edit: the program that was kept with the job cannot change").WithFix("submit it anew: rota again")
		}
	}
	change(&s.Queue, e.Queue)
	change(&s.On, e.On)
	change(&s.Priority, e.Priority)
	s.Priority += e.Raise
	if e.Executor != nil {
		if err := s.give(*e.Executor); err != nil {
			return s, err
		}
	}
	return s, s.resolve()
}

// give gives what a job runs to another executor. A command can be given to the shell, and a shell text to exec, which runs
// a shell then.
func (s *Spec) give(to string) error {
	switch from := s.Executor; {
	case to == from:
	case to == ExecutorShell && from == ExecutorExec:
		s.Shell, s.Argv = `exec "$@"`, slices.Clone(s.Argv)
	case to == ExecutorExec && from == ExecutorShell:
		s.Argv, s.Shell = append([]string{"/bin/sh", "-c", s.Shell, "sh"}, s.Argv...), ""
	default:
		return Invalid("executor %s: cannot take what the job has for %s", to, from).WithFix("submit it anew: rota again")
	}
	s.Executor = to
	return nil
}

// AnyNode is said for no node in particular.
const AnyNode = "any"

// RelocateTo brings jobs to a node, to those with a label KEY=VALUE, or to any.
func RelocateTo(node string) Edit {
	if node == AnyNode {
		node = ""
	}
	return Edit{On: &node}
}

// ParsePriority reads "5", which sets a priority, and "+5" and "-5", which raise and lower it.
func ParsePriority(text string) (e Edit, err error) {
	number := strings.TrimLeft(text, "+-")
	n, err := strconv.Atoi(number)
	switch sign := strings.TrimSuffix(text, number); {
	case err != nil || n > MaxPriority || len(sign) > 1:
		return e, Invalid("priority %q: write 5, +5 or -5", text)
	case sign != "" && n == 0:
		return e, Invalid("priority %s: changes nothing", text)
	case sign == "-":
		e.Raise = -n
	case sign == "+":
		e.Raise = n
	default:
		e.Priority = &n
	}
	return e, nil
}
