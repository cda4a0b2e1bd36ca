package node

import (
	"bytes"
	"os"
	"strconv"

	"github.com/rotaqueue/rota"
)

// measureLoad measures load and memory. Memory is used that is not available: what caches hold can be had back.
func measureLoad(s *rota.NodeSample) {
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		s.Load1 = parseLoad(text)
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		s.MemoryUsed, s.MemoryTotal = parseMemory(text)
	}
}

// parseLoad reads the first figure of /proc/loadavg.
func parseLoad(text []byte) float64 {
	first, _, _ := bytes.Cut(text, []byte(" "))
	load, err := strconv.ParseFloat(string(first), 64)
	if err != nil {
		return 0
	}
	return load
}

// parseMemory reads /proc/meminfo, whose figures are in KiB; 0 where it does not say.
func parseMemory(text []byte) (used, total int64) {
	available := int64(-1)
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) < 2 {
			continue
		}
		kib, err := strconv.ParseInt(string(f[1]), 10, 64)
		if err != nil {
			continue
		}
		switch string(f[0]) {
		case "MemTotal:":
			total = kib << 10
		case "MemAvailable:":
			available = kib << 10
		}
	}
	if available < 0 || available > total {
		return 0, total
	}
	return total - available, total
}
