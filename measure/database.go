package measure

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

// newPlace is where an empty store is: a file of the folder, or a database of its own. Drop removes the latter.
func (b *bench) newPlace(ctx context.Context, dir string) (place string, drop func() error, err error) {
	if b.Store == "" {
		return filepath.Join(dir, "rota.db"), func() error { return nil }, nil
	}
	u, err := url.Parse(b.Store)
	if err != nil {
		return "", nil, fmt.Errorf("store: not a URL")
	}
	name := "rota_bench_" + strings.ToLower(rand.Text())
	if err := b.onServer(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() error {
		return b.onServer(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)")
	}, nil
}

// onServer has the server do something outside of the databases that are made here.
func (b *bench) onServer(ctx context.Context, statement string) error {
	c, err := pgx.Connect(ctx, b.Store)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, statement); err != nil {
		return fmt.Errorf("store: %.15s: %w", statement, err)
	}
	return nil
}
