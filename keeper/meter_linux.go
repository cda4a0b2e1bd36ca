package keeper

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rotaqueue/rota"
)

// members are an attempt's processes and when they were started.
type members map[int]int64

// machineLook is the machine as it is looked at once for all attempts that no control group accounts for.
type machineLook struct {
	all map[int]*process // nil: not yet
}

func (m *machineLook) processes() map[int]*process {
	if m.all == nil {
		m.all, _ = running()
	}
	return m.all
}

// looked is a sample, with what it was made of.
type looked struct {
	rota.Sample
	threads int
	of      []*process
}

// look measures the attempt; not ok when nothing of it is there.
func (g *gauge) look(m *machineLook) (l looked, ok bool) {
	if g.folder != "" {
		for _, pid := range allProcesses(g.folder) {
			if p := look(pid); p != nil {
				l.of = append(l.of, p)
			}
		}
	} else {
		l.of = g.find(m.processes())
	}
	var ticks int64
	for _, p := range l.of {
		l.Processes++
		l.threads += p.threads
		l.Memory += p.memory
		ticks += p.cpu
	}
	l.CPU = rota.Duration(ticks * int64(perTick))
	g.ask(&l)
	return l, len(l.of) > 0
}

// ask asks the control groups for what they know better. A slot's group is older than the attempt: what it has counted
// beyond the attempt's processes at their first look is of the attempts before.
func (g *gauge) ask(l *looked) {
	if g.confined != nil {
		if n, known := g.confined.inUse(); known {
			l.Memory = n
		}
	}
	if g.folder == "" {
		return
	}
	micros := figureIn(filepath.Join(g.folder, "cpu.stat"), "usage_usec")
	if micros == 0 {
		return
	}
	used := rota.Duration(micros * 1000)
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.taken && g.confined.folder() == "" {
		g.base = used - l.CPU
	}
	l.CPU = used - g.base
}

// find finds the attempt's processes among all: those of its process group and session, those that were its at the
// look before, and the children of all these, whatever group they went to.
func (g *gauge) find(all map[int]*process) []*process {
	g.mu.Lock()
	defer g.mu.Unlock()
	is := map[int]bool{}
	var belongs func(pid, depth int) bool
	belongs = func(pid, depth int) bool {
		p := all[pid]
		if p == nil || depth > len(all) {
			return false
		}
		if known, ok := is[pid]; ok {
			return known
		}
		started, before := g.known[pid]
		is[pid] = p.group == g.leader || p.session == g.leader || before && started == p.started || belongs(p.parent, depth+1)
		return is[pid]
	}
	var of []*process
	known := members{}
	for pid, p := range all {
		if belongs(pid, 0) {
			of = append(of, p)
			known[pid] = p.started
		}
	}
	g.known = known
	return of
}

// has reports whether a process was the attempt's when it was last measured.
func (g *gauge) has(p *process) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	started, known := g.known[p.pid]
	return known && started == p.started
}

// starved reports whether the system has killed some of the attempt for want of memory and left the rest.
func (g *gauge) starved() bool { return g.confined.starved() }

// exactMemory is what the processes have, with what they share counted once. It is dear, and asked for before an
// attempt is ended for its memory.
func (l *looked) exactMemory() int64 {
	var sum int64
	for _, p := range l.of {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/smaps_rollup")
		if err != nil || !bytes.Contains(text, []byte("\nPss:")) {
			sum += p.memory
			continue
		}
		sum += figure(text, "Pss:") << 10
	}
	return sum
}
