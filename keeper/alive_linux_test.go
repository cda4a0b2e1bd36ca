package keeper

// isAlive reports whether a process runs; one that is dead and not yet reaped by its new parent does not.
func isAlive(pid int) bool { return look(pid) != nil }
