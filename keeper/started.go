package keeper

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rotaqueue/rota"
)

// Started are the attempts that the journal of a folder's earlier keepers knows to have been started, ended or not.
// It is to be read before New, which begins a journal of its own.
func Started(dir string) ([]rota.Try, error) {
	f, err := os.Open(filepath.Join(dir, "journal"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "keeper folder %s: %v", dir, err)
	}
	defer f.Close()
	var tries []rota.Try
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var try rota.Try
		rest, ok := strings.CutPrefix(lines.Text(), "start ")
		if n, _ := fmt.Sscan(rest, (*int64)(&try.Task), &try.Attempt); ok && n == 2 {
			tries = append(tries, try)
		}
	}
	return tries, nil
}
