// Package executortest is the contract of a kind of job, in executable form. Each kind's tests run it.
package executortest

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// Run holds a kind to the contract. The spec is one that the kind can run; the suite adds arguments to its argv.
func Run(t *testing.T, e executor.Executor, spec rota.Spec) {
	t.Run("has the name that its specs resolve to", func(t *testing.T) {
		s := rota.Submission{Spec: spec}
		if err := s.Resolve(); err != nil {
			t.Fatal(err)
		}
		if e.Name() != s.Spec.Executor || e.Version() == "" {
			t.Errorf("name %q, version %q; the spec resolves to %q", e.Name(), e.Version(), s.Spec.Executor)
		}
	})
	t.Run("puts a task's index and line into arguments, once and as they are", func(t *testing.T) { placeholders(t, e, spec) })
	t.Run("leaves the assignment alone", func(t *testing.T) { pure(t, e, spec) })
}

func placeholders(t *testing.T, e executor.Executor, spec rota.Spec) {
	const line = "a b'; rm -rf \"$HOME\" {task} {line} `id` \xff"
	array := &rota.Array{Ranges: []rota.Range{{First: 3, Last: 9}}}
	for _, c := range []struct {
		name string
		a    rota.Assignment
		want []string
	}{
		{"plain", assignment(spec, rota.PlainTask(42), nil, false, ""), []string{"{task}", "x{line}y", "{TASK}"}},
		{"array", assignment(spec, rota.Element(42, 7), array, false, ""), []string{"7", "x{line}y", "{TASK}"}},
		{"lines", assignment(spec, rota.Element(42, 7), nil, true, line), []string{"7", "x" + line + "y", "{TASK}"}},
		{"empty line", assignment(spec, rota.Element(42, 1), nil, true, ""), []string{"1", "xy", "{TASK}"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			add(c.a.Spec, "{task}", "x{line}y", "{TASK}")
			command, err := e.Command(&c.a)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(command.Pipe); n > 0 {
				command.Argv = command.Pipe[n-1]
			}
			if len(command.Argv) == 0 || command.Argv[0] == "" {
				t.Fatalf("argv %q names no program", command.Argv)
			}
			if len(command.Argv) < 4 || !slices.Equal(command.Argv[len(command.Argv)-3:], c.want) {
				t.Errorf("argv %q does not end with %q", command.Argv, c.want)
			}
		})
	}
}

// add adds arguments to what a spec runs: to the last stage, if it has stages.
func add(s *rota.Spec, args ...string) {
	if n := len(s.Pipe); n > 0 {
		s.Pipe = append(slices.Clone(s.Pipe[:n-1]), append(slices.Clone(s.Pipe[n-1]), args...))
		return
	}
	s.Argv = append(slices.Clone(s.Argv), args...)
}

func pure(t *testing.T, e executor.Executor, spec rota.Spec) {
	a := assignment(spec, rota.Element(42, 7), nil, true, "a line")
	a.Spec.Argv = append(slices.Clone(spec.Argv), "{line}")[:len(spec.Argv)+1]
	before := strings.Join(a.Spec.Argv, "\x00") + a.Spec.Shell + a.Spec.Script
	commands := make([]executor.Command, 8)
	var all sync.WaitGroup
	for i := range commands {
		all.Go(func() {
			commands[i], _ = e.Command(&a)
			commands[i].Argv = append(commands[i].Argv, "more") // what a caller adds is the caller's
		})
	}
	all.Wait()
	for _, c := range commands {
		if !reflect.DeepEqual(c, commands[0]) {
			t.Errorf("%q and %q come from the same assignment", c, commands[0])
		}
	}
	if after := strings.Join(a.Spec.Argv, "\x00") + a.Spec.Shell + a.Spec.Script; after != before {
		t.Errorf("the spec was %q and is %q", before, after)
	}
}

func assignment(spec rota.Spec, task rota.TaskID, array *rota.Array, lines bool, line string) rota.Assignment {
	spec.Array, spec.Lines = array, lines
	return rota.Assignment{Try: rota.Try{Task: task, Attempt: 1}, Spec: &spec, Line: line}
}
