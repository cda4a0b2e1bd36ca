//go:build race

package crash_test

func init() { underRace = true }
