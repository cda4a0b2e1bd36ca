//go:build !linux

package node

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
)

// measureLoad measures the load: three averages in fixed point, and behind them, as a long, what is one in it.
func measureLoad(s *rota.NodeSample) {
	b, err := unix.SysctlRaw("vm.loadavg")
	if err != nil || len(b) < 24 {
		return
	}
	if one := binary.NativeEndian.Uint64(b[16:]); one > 0 {
		s.Load1 = float64(binary.NativeEndian.Uint32(b)) / float64(one)
	}
}
