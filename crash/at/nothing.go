//go:build !crashpoints

package at

// Point is a place at which a process may crash.
func Point(string) {}

// Fail is a place at which the system may refuse something: nil when it is to be asked.
func Fail(string) error { return nil }
