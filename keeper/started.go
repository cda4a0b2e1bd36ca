package keeper

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/rotaqueue/rota"
)

// Started are the attempts of which the journal of a folder's earlier keeper says that they were started, or does not
// say that they were not; those that were forgotten may be left out. It is to be read before New, which begins a
// journal of its own. What New finds there stays in the new one until it is forgotten too: a keeper that is killed before
// anybody could make use of it must not take the knowledge along.
func Started(dir string) ([]rota.Try, error) {
	l, err := readJournal(filepath.Join(dir, "journal"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, rota.Errorf(rota.ErrUnavailable, "keeper folder %s: %v", dir, err)
	}
	return l.tries(), nil
}
