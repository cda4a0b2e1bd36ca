//go:build !linux

package jar

func renameNew(from, to string) error { return renameIfFree(from, to) }
