package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ground is the folder itself when it exists, else the nearest thing above it that does: where it would be made.
// It need not be a folder.
func ground(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		_, err := os.Stat(dir)
		switch {
		case err == nil:
			return dir, nil
		case errors.Is(err, fs.ErrNotExist):
			if _, err := os.Lstat(dir); err == nil {
				return "", fmt.Errorf("%s is a symbolic link to nothing", dir)
			}
		case !errors.Is(err, syscall.ENOTDIR): // some folder above is a file, which is found further up
			return "", fmt.Errorf("%s: %w", dir, cause(err))
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s: %w", dir, cause(err))
		}
	}
}

// withOwnFile makes a file in the folder, lets it be used, and removes it.
func withOwnFile(dir string, use func(*os.File) error) (err error) {
	f, err := os.CreateTemp(dir, ".rota-doctor-*")
	if err != nil {
		return cause(err)
	}
	defer func() { err = errors.Join(err, cause(os.Remove(f.Name()))) }()
	defer f.Close()
	return cause(use(f))
}

// cause is what went wrong, without the path that the sentence around it names.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// quote writes a path as a shell reads it.
func quote(path string) string {
	plain := func(r rune) bool {
		return !strings.ContainsRune("/._-+:@%", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if path != "" && !strings.ContainsFunc(path, plain) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
