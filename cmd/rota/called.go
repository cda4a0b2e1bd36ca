package main

import (
	"os/exec"
	"path/filepath"

	"github.com/rotaqueue/rota/jar"
)

// arguments are those of the command line, in which a name that the program was called by stands for a command.
func arguments(called []string) []string {
	if verb, ok := jar.Programs[filepath.Base(called[0])]; ok {
		return append([]string{"jar", verb}, called[1:]...)
	}
	return called[1:]
}

// calledFrom is the jar whose bin the program was called from; empty: none.
func calledFrom(called string) string {
	path := called
	if filepath.Base(called) == called {
		found, err := exec.LookPath(called)
		if err != nil {
			return ""
		}
		path = found
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	return jar.HomeOf(path)
}
