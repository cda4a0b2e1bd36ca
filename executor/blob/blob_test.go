package blob_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor/blob"
	"github.com/rotaqueue/rota/executor/executortest"
)

const id = rota.BlobID("00000000000000000000000000000000000000000000000000000000000000aa")

func TestContract(t *testing.T) {
	executortest.Run(t, blob.Executor{}, rota.Spec{Blob: id})
}

func TestCommandIsTheBlobWithItsArguments(t *testing.T) {
	got, err := blob.Executor{}.Command(&rota.Assignment{Try: rota.Try{Task: rota.PlainTask(1), Attempt: 1}, Spec: &rota.Spec{Blob: id, Argv: []string{"a b", "c"}}})
	if err != nil || !slices.Equal(got.Argv, []string{string(id), "a b", "c"}) || got.Body != "" {
		t.Errorf("%q, %v", got.Argv, err)
	}
	for _, wrong := range []rota.BlobID{"", "x", "../../../bin/sh", "/bin/sh"} {
		if got, err := (blob.Executor{}).Command(&rota.Assignment{Spec: &rota.Spec{Blob: wrong}}); !errors.Is(err, rota.ErrInvalid) {
			t.Errorf("%q: %q, %v", wrong, got.Argv, err)
		}
	}
}
