package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/cli"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// holdPlaces takes the locks of those places that are in data folders, so that no node uses them meanwhile (P26).
func holdPlaces(places ...string) (free func(), err error) {
	var held []*folder
	free = func() {
		for _, f := range held {
			f.close()
		}
	}
	for _, place := range places {
		dir := filepath.Dir(place)
		if strings.Contains(place, "://") || filepath.Base(place) != "rota.db" || slices.ContainsFunc(held, func(f *folder) bool { return f.path == dir }) {
			continue
		}
		f, err := openFolder(dir)
		if err != nil {
			free()
			return nil, err
		}
		held = append(held, f)
	}
	return free, nil
}

func copyStore(ctx context.Context, o cli.CopyOptions) (rota.Copied, error) {
	places := []string{o.From, o.To}
	if _, err := os.Stat(o.From); err != nil {
		places = places[1:] // there is nothing to hold: a folder would only be made
	}
	free, err := holdPlaces(places...)
	if err != nil {
		return rota.Copied{}, err
	}
	defer free()
	return sqlstore.Copy(ctx, o.From, o.To, sqlstore.CopyOptions{Lost: o.Lost, Step: o.Step})
}

func unseal(ctx context.Context, place string) (copiedTo string, err error) {
	var places []string
	if _, err := os.Stat(place); err == nil {
		places = append(places, place)
	}
	free, err := holdPlaces(places...)
	if err != nil {
		return "", err
	}
	defer free()
	return sqlstore.Unseal(ctx, place)
}

func verifyBackup(ctx context.Context, file string, step func(rota.CopyStep)) (cli.Backup, error) {
	c, err := sqlstore.VerifyBackup(ctx, file, step)
	return cli.Backup(c), err
}

func restoreBackup(ctx context.Context, file, to string, step func(rota.CopyStep)) (rota.Copied, error) {
	free, err := holdPlaces(to)
	if err != nil {
		return rota.Copied{}, err
	}
	defer free()
	return sqlstore.RestoreBackup(ctx, file, to, step)
}
