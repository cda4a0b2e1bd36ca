//go:build !linux

package doctor

func systemBounds() []bound { return nil }
