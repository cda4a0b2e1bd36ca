package pipeline

import (
	"errors"
	"reflect"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor/executortest"
)

func TestContract(t *testing.T) {
	executortest.Run(t, Executor{}, rota.Spec{Pipe: [][]string{{"sort", "in"}, {"uniq", "-c"}}})
}

// TestZ7_EachStageIsAnArgumentVector: what is put in for a placeholder stays within its argument.
func TestZ7_EachStageIsAnArgumentVector(t *testing.T) {
	spec := rota.Spec{Pipe: [][]string{{"cat", "{line}"}, {"grep", "x"}}, Lines: true}
	c, err := Executor{}.Command(&rota.Assignment{Spec: &spec, Line: "a : b | c"})
	if want := [][]string{{"cat", "a : b | c"}, {"grep", "x"}}; err != nil || !reflect.DeepEqual(c.Pipe, want) {
		t.Errorf("%q, %v", c.Pipe, err)
	}
	spec.Pipe = [][]string{{"cat"}, {"{line}"}}
	if _, err := (Executor{}).Command(&rota.Assignment{Spec: &spec}); !errors.Is(err, rota.ErrInvalid) {
		t.Errorf("a program without a name: %v", err)
	}
}
