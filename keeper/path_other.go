//go:build !linux

package keeper

// shorten is the path itself: where there is no /proc, a folder whose path is too long for a socket has no keeper.
func shorten(path string) (short string, done func(), err error) { return path, func() {}, nil }
