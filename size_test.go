package rota_test

import (
	"testing"

	"github.com/rotaqueue/rota"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]rota.Size{"0": 0, "1": 1, "64KiB": 64 << 10, "1K": 1024, "500MB": 5e8, "2 GiB": 2 << 30, "10B": 10} {
		got, err := rota.ParseSize(text)
		if err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
		if again, err := rota.ParseSize(got.String()); err != nil || again != got {
			t.Errorf("%q is written %q, which reads as %d, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "x", "-1", "1.5G", "99999999TiB", "KiB"} {
		if got, err := rota.ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", text, got)
		}
	}
}
