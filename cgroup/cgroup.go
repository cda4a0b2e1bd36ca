// Package cgroup finds where a process stands in the control groups of Linux, and which controllers (memory, cpu, pids,
// io) groups of its own can have there: in the one hierarchy of version 2, or in those of version 1, of which each has
// controllers of its own and which machines of today still mix with it.
//
// Looking changes nothing: what a keeper will find is what an examination says. Enable alone writes. On other systems
// there is nothing in here.
package cgroup
