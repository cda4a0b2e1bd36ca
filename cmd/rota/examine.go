package main

import (
	"context"

	"github.com/rotaqueue/rota/cli"
	"github.com/rotaqueue/rota/config"
)

// examine is what the doctor finds.
func examine(ctx context.Context, c config.Config) []cli.Check { return nil }

