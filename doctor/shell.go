package doctor

import (
	"context"
	"os/exec"
)

// shell runs jobs that are shell text, and scripts that name no interpreter.
const shell = "/bin/sh"

func checkShell(ctx context.Context, _ Place) Finding { return tryShell(ctx, shell) }

func tryShell(ctx context.Context, path string) Finding {
	if err := exec.CommandContext(ctx, path, "-c", ":").Run(); err != nil {
		return fail("apt-get install dash, or your system's shell", "%s does not run: %v; jobs of shell text cannot start", path, cause(err))
	}
	return ok("%s runs", path)
}
