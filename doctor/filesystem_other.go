//go:build !linux

package doctor

import "context"

// NetworkFileSystem names the network file system that a folder lies on. It is empty for a local one, and where
// that cannot be told, as here.
func NetworkFileSystem(string) string { return "" }

func checkFileSystem(context.Context, Place) Finding { return unknown() }
