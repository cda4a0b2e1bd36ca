package jar

import "syscall"

func touchedOf(st *syscall.Stat_t) int64 { return st.Ctimespec.Nano() }

// isWritten cannot be known.
func isWritten(string) bool { return false }
