package node

import "testing"

func TestD6_WhatTheKernelSaysIsRead(t *testing.T) {
	if got := parseLoad([]byte("1.25 0.80 0.66 3/512 4711\n")); got != 1.25 {
		t.Errorf("load %v", got)
	}
	for text, want := range map[string][2]int64{
		"MemTotal:        4000 kB\nMemFree:          100 kB\nMemAvailable:    1000 kB\n": {3000 << 10, 4000 << 10},
		"MemTotal:        4000 kB\nMemFree:          100 kB\n":                           {0, 4000 << 10},
		"MemTotal: 10 kB\nMemAvailable: 20 kB\n":                                         {0, 10 << 10},
		"what is this\n\nMemTotal:\nMemTotal: x kB\n":                                    {0, 0},
	} {
		if used, total := parseMemory([]byte(text)); used != want[0] || total != want[1] {
			t.Errorf("%q: %d of %d", text, used, total)
		}
	}
	if got := parseLoad(nil); got != 0 {
		t.Errorf("load of nothing: %v", got)
	}
}
