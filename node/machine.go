package node

import (
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// machineOf measures the machine, and the file system of a folder. What cannot be had stays 0.
func machineOf(dir string) rota.NodeSample {
	s := rota.NodeSample{CPUs: runtime.NumCPU()}
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) == nil {
		s.DiskFree, s.DiskTotal = int64(fs.Bavail)*int64(fs.Bsize), int64(fs.Blocks)*int64(fs.Bsize)
	}
	measureLoad(&s)
	return s
}
