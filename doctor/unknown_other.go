//go:build !linux

package doctor

// unknown is the finding where a system has no way to tell.
func unknown() Finding { return ok("not known on this system") }
