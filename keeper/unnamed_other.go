//go:build !linux

package keeper

import "os"

// unnamedFile is a file that nobody else can find.
func unnamedFile() (*os.File, error) {
	f, err := os.CreateTemp("", "rota")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}
