package exec_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor/exec"
	"github.com/rotaqueue/rota/executor/executortest"
)

func TestContract(t *testing.T) {
	executortest.Run(t, exec.Executor{}, rota.Spec{Argv: []string{"echo", "-n"}})
}

func TestCommandIsTheArgumentVector(t *testing.T) {
	array := &rota.Array{Ranges: []rota.Range{{First: 0, Last: 20}}}
	for _, c := range []struct {
		name string
		task rota.TaskID
		spec rota.Spec
		line string
		want []string
	}{
		{"as it is", rota.PlainTask(1), rota.Spec{Argv: []string{"./sim", "", "a b", "$HOME", "*"}}, "",
			[]string{"./sim", "", "a b", "$HOME", "*"}},
		{"an index", rota.Element(1, 17), rota.Spec{Argv: []string{"sim", "--seed={task}", "{task}{task}"}, Array: array}, "",
			[]string{"sim", "--seed=17", "1717"}},
		{"a line is one argument", rota.Element(1, 1), rota.Spec{Argv: []string{"gzip", "{line}"}, Lines: true}, "a b; c",
			[]string{"gzip", "a b; c"}},
		{"a line names the program", rota.Element(1, 1), rota.Spec{Argv: []string{"{line}"}, Lines: true}, "/bin/true",
			[]string{"/bin/true"}},
		{"an empty line names none", rota.Element(1, 1), rota.Spec{Argv: []string{"{line}"}, Lines: true}, "", nil},
		{"nothing", rota.PlainTask(1), rota.Spec{}, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := exec.Executor{}.Command(&rota.Assignment{Try: rota.Try{Task: c.task, Attempt: 1}, Spec: &c.spec, Line: c.line})
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
