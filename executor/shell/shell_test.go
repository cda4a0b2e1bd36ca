package shell_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor/executortest"
	"github.com/rotaqueue/rota/executor/shell"
)

func TestContract(t *testing.T) {
	executortest.Run(t, shell.Executor{}, rota.Spec{Shell: `echo "$@"`})
}

func TestCommandIsTheShellWithTheText(t *testing.T) {
	array := &rota.Array{Ranges: []rota.Range{{First: 0, Last: 20}}}
	for _, c := range []struct {
		name string
		spec rota.Spec
		want []string
	}{
		{"a text", rota.Spec{Shell: "exit 3"}, []string{"/bin/sh", "-c", "exit 3", "sh"}},
		{"the job's name is $0", rota.Spec{Shell: "exit 3", Name: "sweep"}, []string{"/bin/sh", "-c", "exit 3", "sweep"}},
		{"a text that looks like an option", rota.Spec{Shell: "-x"}, []string{"/bin/sh", "-c", "-x", "sh"}},
		{"arguments", rota.Spec{Shell: `cat "$1"`, Argv: []string{"a b", "-c"}}, []string{"/bin/sh", "-c", `cat "$1"`, "sh", "a b", "-c"}},
		{"the text is never touched", rota.Spec{Shell: "echo {task} {line}", Argv: []string{"{task}"}, Array: array},
			[]string{"/bin/sh", "-c", "echo {task} {line}", "sh", "4"}},
		{"nothing", rota.Spec{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := shell.Executor{}.Command(&rota.Assignment{Try: rota.Try{Task: rota.Element(1, 4), Attempt: 1}, Spec: &c.spec})
			if c.want == nil {
				if !errors.Is(err, rota.ErrInvalid) {
					t.Errorf("%q, %v: want it refused", got.Argv, err)
				}
				return
			}
			if err != nil || !slices.Equal(got.Argv, c.want) || got.Body != "" {
				t.Errorf("%q, %v: want %q", got.Argv, err, c.want)
			}
		})
	}
}
