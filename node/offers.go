package node

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/rotaqueue/rota"
)

// Offers is what the machine has that tasks can need: its CPUs, its memory, and the GPUs that their drivers tell of.
func Offers() rota.Resources {
	r := rota.Resources{rota.ResourceCPUs: float64(runtime.NumCPU())}
	if m := machineOf("/").MemoryTotal; m > 0 {
		r[rota.ResourceMemory] = float64(m)
	}
	if n := gpus("/"); n > 0 {
		r[rota.ResourceGPUs] = float64(n)
	}
	return r
}

// gpus counts those that the drivers of NVIDIA and of AMD show below a root.
func gpus(root string) int {
	nvidia, _ := filepath.Glob(filepath.Join(root, "proc/driver/nvidia/gpus/*"))
	n := len(nvidia)
	nodes, _ := filepath.Glob(filepath.Join(root, "sys/class/kfd/kfd/topology/nodes/*/properties"))
	for _, path := range nodes {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) == 2 && f[0] == "simd_count" && f[1] != "0" { // a CPU has none
				n++
			}
		}
	}
	return n
}
