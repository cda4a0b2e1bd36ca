package node

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOffersOfThisMachine(t *testing.T) {
	r := Offers()
	if r["cpus"] < 1 {
		t.Errorf("offers %v", r)
	}
}

func TestGPUsAreCountedByTheirDrivers(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{
		"proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: some",
		"proc/driver/nvidia/gpus/0000:02:00.0/information": "Model: some",
		"sys/class/kfd/kfd/topology/nodes/0/properties":    "cpu_cores_count 8\nsimd_count 0\n",
		"sys/class/kfd/kfd/topology/nodes/1/properties":    "cpu_cores_count 0\nsimd_count 256\n",
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if n := gpus(root); n != 3 {
		t.Errorf("%d GPUs, want 3", n)
	}
	if n := gpus(t.TempDir()); n != 0 {
		t.Errorf("%d GPUs where there is no driver", n)
	}
}
