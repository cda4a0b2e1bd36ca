package crash_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rotaqueue/rota/store/pgtest"
)

// What the tests start, built for them.
var rotaPath, nextPath, witnessPath string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if disk := os.Getenv("TMPDIR_ON_DISK"); disk != "" { // other tests may work in memory
		if err := os.Setenv("TMPDIR", disk); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	dir, err := os.MkdirTemp("", "rota-crash")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	rotaPath, nextPath, witnessPath = filepath.Join(dir, "rota"), filepath.Join(dir, "next"), filepath.Join(dir, "witness")
	for path, pkg := range map[string]string{rotaPath: "../cmd/rota", witnessPath: "./witness"} {
		cmd := exec.Command("go", "build", "-buildvcs=false", "-o", path, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, out)
			return 1
		}
	}
	if err := buildNext(nextPath); err != nil {
		fmt.Fprintf(os.Stderr, "build the next version: %v\n", err)
		return 1
	}
	return pgtest.Run(m)
}

// underRace tells of the race detector, which watches the tests and not the node: there is little to find.
var underRace bool

// length is one of three: ROTA_SOAK=1 asks for the whole, -short for the shortest.
func length(soak, usual, short int) int {
	switch {
	case os.Getenv("ROTA_SOAK") == "1":
		return soak
	case testing.Short() || underRace:
		return short
	}
	return usual
}

// seed decides the random choices; ROTA_SEED gives that of an earlier run.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := rand.Uint64() >> 1
	if text := os.Getenv("ROTA_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("ROTA_SEED: %v", err)
		}
	}
	t.Logf("ROTA_SEED=%d makes the same choices again", n)
	return n
}
