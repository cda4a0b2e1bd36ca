package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/rotaqueue/rota/cli"
)

// commands is the reference of all commands, as `rota man --markdown` prints it.
func commands() (string, error) {
	var out, talk bytes.Buffer
	code := cli.Main(context.Background(), cli.Deps{}, []string{"man", "--markdown"}, strings.NewReader(""), &out, &talk)
	if code != 0 {
		return "", fmt.Errorf("rota man --markdown ended with %d: %s", code, &talk)
	}
	return out.String(), nil
}
