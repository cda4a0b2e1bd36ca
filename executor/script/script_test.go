package script_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor/executortest"
	"github.com/rotaqueue/rota/executor/script"
)

func TestContract(t *testing.T) {
	executortest.Run(t, script.Executor{}, rota.Spec{Script: "#!/bin/sh\necho \"$@\"\n"})
}

func TestCommandIsTheTextWithItsArguments(t *testing.T) {
	array := &rota.Array{Ranges: []rota.Range{{First: 0, Last: 20}}}
	for _, c := range []struct {
		name string
		spec rota.Spec
		argv []string
	}{
		{"a text", rota.Spec{Script: "#!/bin/sh\nexit 3\n"}, []string{"script"}},
		{"called by the job's name", rota.Spec{Script: "exit 3", Name: "sweep"}, []string{"sweep"}},
		{"arguments", rota.Spec{Script: "exit 3", Argv: []string{"a b"}}, []string{"script", "a b"}},
		{"the text is never touched", rota.Spec{Script: "echo {task} {line}", Argv: []string{"{task}"}, Array: array},
			[]string{"script", "4"}},
		{"nothing", rota.Spec{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := script.Executor{}.Command(&rota.Assignment{Try: rota.Try{Task: rota.Element(1, 4), Attempt: 1}, Spec: &c.spec})
			if c.argv == nil {
				if !errors.Is(err, rota.ErrInvalid) {
					t.Errorf("%q, %v: want it refused", got.Argv, err)
				}
				return
			}
			if err != nil || !slices.Equal(got.Argv, c.argv) || got.Body != c.spec.Script {
				t.Errorf("%q %q, %v: want %q %q", got.Argv, got.Body, err, c.argv, c.spec.Script)
			}
		})
	}
}
