package doctor

import (
	"context"
	"errors"
	"testing"
)

func TestServers(t *testing.T) {
	answers := Server{"https://a", func(context.Context) error { return nil }}
	refuses := Server{"https://b", func(context.Context) error { return errors.New("nobody listens") }}
	hangs := Server{"https://c", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	expect(t, checkServers(t.Context(), Place{}), OK, "store of its own")
	expect(t, checkServers(t.Context(), Place{Servers: []Server{answers}}), OK, "https://a")
	expect(t, checkServers(t.Context(), Place{Servers: []Server{answers, refuses}}), Warn, "of 2 servers 1 answer; not: https://b: nobody listens")
	expect(t, checkServers(t.Context(), Place{Servers: []Server{refuses, hangs}}), Fail, "https://b: nobody listens", "https://c: ")
}
