package crash_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash"
)

// certain is a max_lost that no test reaches: a job that has it ends as its command does, whatever is lost.
const certain = rota.MaxRetries

// job is a submission to be, what must come of it, and the ledger's entry: what the node acknowledged.
type job struct {
	number int
	kind   string
	sub    rota.Submission
	parts  []rota.Part
	tasks  int
	out    int // most bytes that an attempt writes to its output; err: to its error output
	err    int
	input  []byte
	wants  []rota.State // how its tasks may end
	after  *job
	cancel time.Duration // cancelled so long after it was acknowledged; negative: not
	midway bool          // cancelled so long after it began

	acked     chan struct{}
	id        rota.JobID
	existing  bool      // the acknowledgement came for a later try
	cancelled time.Time // when that was acknowledged
}

// kind is a way of being submitted, run and ended.
type kind struct {
	name   string
	weight int
	make   func(p *planner, j *job)
}

var kinds = []kind{
	{"plain", 8, func(p *planner, j *job) { j.runs(p, "-for", "80ms") }},
	{"shell", 5, func(p *planner, j *job) { j.runs(p, "-for", "200ms"); j.shell() }},
	{"child", 5, func(p *planner, j *job) { j.runs(p, "-leave", "-for", "200ms") }},
	{"writer", 4, func(p *planner, j *job) { j.writes(p, 200<<10, 30<<10) }},
	{"leaver", 3, func(p *planner, j *job) {
		j.writes(p, 90<<10, 0)
		j.sub.Spec.Argv = append(j.sub.Spec.Argv, "-keep")
		j.sub.Spec.Artifacts = []string{"le[f]t"}
	}},
	{"flaky", 5, (*planner).flaky},
	{"doomed", 2, func(p *planner, j *job) {
		j.runs(p, "-fail", "1000000", "-for", "60ms")
		j.retries(2)
		j.ends(rota.Failed)
	}},
	{"slow", 1, func(p *planner, j *job) { j.runs(p, "-hang", p.deaf()); j.timesOut() }},
	{"array", 3, func(p *planner, j *job) { j.writes(p, 300, 0); j.array(4 + p.IntN(12)) }},
	{"limited", 2, func(p *planner, j *job) {
		j.runs(p, "-for", "60ms")
		j.array(4 + p.IntN(8))
		j.sub.Spec.Limit = 1 + p.IntN(3)
	}},
	{"lines", 2, (*planner).lines},
	{"reader", 2, (*planner).reader},
	{"fragile", 4, func(p *planner, j *job) { j.runs(p, "-for", "160ms"); j.sub.Spec.Retry.MaxLost = nil; j.mayFail() }},
	{"glass", 2, func(p *planner, j *job) {
		j.runs(p, "-for", "120ms")
		j.sub.Spec.Retry.OnLost = rota.LostFail
		j.mayFail()
	}},
	{"dependent", 6, (*planner).dependent},
	{"cancelled", 4, (*planner).cancelled},
	{"cancelled array", 1, func(p *planner, j *job) {
		j.runs(p, "-for", "120ms", p.deaf())
		j.array(4 + p.IntN(8))
		j.cancelIn(p, 400)
	}},
	{"cancelled early", 2, func(p *planner, j *job) { j.runs(p, "-for", "100ms", p.deaf()); j.cancelIn(p, 50) }},
}

// planner chooses jobs.
type planner struct {
	*rand.Rand
	file, mark string
	upgraded   bool
	jobs       []*job
}

// plan is jobs of about so many tasks together.
func (m *machine) plan(tasks int, kinds []kind) []*job {
	p := &planner{Rand: m.random, file: m.file("witness"), mark: m.mark, upgraded: m.upgraded}
	weights := 0
	for _, k := range kinds {
		weights += k.weight
	}
	for tasks > 0 {
		n := p.IntN(weights)
		for _, k := range kinds {
			if n -= k.weight; n < 0 {
				tasks -= p.add(k).tasks
				break
			}
		}
	}
	return p.jobs
}

func (p *planner) add(k kind) *job {
	none, lost := 0, certain
	j := &job{number: len(p.jobs), kind: k.name, tasks: 1, cancel: -1, wants: []rota.State{rota.Succeeded}, acked: make(chan struct{})}
	j.sub.Key = fmt.Sprintf("%s %d", k.name, j.number)
	j.sub.Spec = rota.Spec{Name: j.sub.Key, Env: []string{"PATH=/usr/bin:/bin", crash.MarkName + "=" + p.mark}, Grace: rota.Duration(200 * time.Millisecond),
		Retry: &rota.Retry{Count: &none, MaxLost: &lost, First: rota.Duration(20 * time.Millisecond), Cap: rota.Duration(100 * time.Millisecond)}}
	k.make(p, j)
	p.jobs = append(p.jobs, j)
	return j
}

func (j *job) runs(p *planner, args ...string) {
	j.sub.Spec.Argv = []string{witnessPath, "-file", p.file}
	if p.upgraded {
		j.sub.Spec.Argv = append(j.sub.Spec.Argv, "-upgraded")
	}
	for _, a := range args {
		if a != "" {
			j.sub.Spec.Argv = append(j.sub.Spec.Argv, a)
		}
	}
}

// shell has the command run by a shell: the witness is not the attempt's main process.
func (j *job) shell() { j.sub.Spec.Shell = `"$@"; exit $?` }

func (j *job) writes(p *planner, out, err int) {
	j.out, j.err = out, err
	j.runs(p, "-out", strconv.Itoa(out), "-err", strconv.Itoa(err), "-for", "40ms")
}

func (j *job) retries(n int) { j.sub.Spec.Retry.Count = &n }

func (j *job) ends(as ...rota.State) { j.wants = as }

// mayFail is for a job that enough losses make fail.
func (j *job) mayFail() { j.ends(rota.Succeeded, rota.Failed) }

func (j *job) timesOut() {
	j.sub.Spec.Timeout = rota.Duration(100 * time.Millisecond)
	j.retries(1)
	j.ends(rota.Failed)
}

func (j *job) array(n int) {
	j.sub.Spec.Array, j.tasks = &rota.Array{Ranges: []rota.Range{{First: 1, Last: n}}}, n
}

func (j *job) cancelIn(p *planner, millis int) {
	j.cancel = time.Duration(p.IntN(millis)) * time.Millisecond
	j.ends(rota.Succeeded, rota.Cancelled)
}

// cancelled would never end by itself.
func (p *planner) cancelled(j *job) {
	j.runs(p, "-hang", p.deaf())
	j.cancelIn(p, 300)
	j.ends(rota.Cancelled)
	j.midway = p.IntN(3) > 0
}

func (p *planner) deaf() string {
	if p.IntN(2) == 0 {
		return "-deaf"
	}
	return ""
}

// flaky fails as often as it may.
func (p *planner) flaky(j *job) {
	n := 1 + p.IntN(3)
	j.runs(p, "-fail", strconv.Itoa(n), "-for", "60ms", "-leave")
	if p.IntN(2) == 0 {
		j.shell()
	}
	j.retries(n)
}

// lines is a job of one task a line, whose lines come in parts; each line says how much its task writes.
func (p *planner) lines(j *job) {
	j.out = 60 << 10
	j.runs(p, "-out", "{line}", "-for", "40ms")
	j.sub.Spec.Lines = true
	j.tasks = 4 + p.IntN(16)
	lines := make([]string, j.tasks)
	for i := range lines {
		lines[i] = strconv.Itoa(p.IntN(j.out))
	}
	first := 1 + p.IntN(j.tasks)
	j.sub.Lines = lines[:first]
	for lines = lines[first:]; len(lines) > 0; {
		n := 1 + p.IntN(len(lines))
		j.parts = append(j.parts, rota.Part{Lines: lines[:n]})
		lines = lines[n:]
	}
	j.numberParts()
}

// reader reads what was uploaded for it, in parts.
func (p *planner) reader(j *job) {
	j.runs(p, "-read", "-for", "20ms")
	j.input = make([]byte, p.IntN(300<<10))
	for i := range j.input {
		j.input[i] = byte(p.Uint32())
	}
	first := p.IntN(len(j.input) + 1)
	j.sub.Input = j.input[:first]
	if rest := j.input[first:]; len(rest) > 0 {
		n := p.IntN(len(rest) + 1)
		j.parts = []rota.Part{{Input: rest[:n]}, {Input: rest[n:]}}
	}
	j.numberParts()
}

func (j *job) numberParts() {
	j.sub.More = len(j.parts) > 0
	for i := range j.parts {
		j.parts[i].Number = i + 1
		j.parts[i].Last = i == len(j.parts)-1
	}
}

// dependent waits for one of the jobs just before.
func (p *planner) dependent(j *job) {
	j.runs(p, "-for", "40ms")
	if len(p.jobs) == 0 {
		return
	}
	j.after = p.jobs[max(0, len(p.jobs)-1-p.IntN(12))]
	when := []rota.When{rota.AfterOK, rota.AfterAny, rota.AfterFail}[p.IntN(3)]
	j.sub.Spec.After = []rota.Dependency{{When: when}}
	if when == rota.AfterAny {
		return
	}
	runs, not := rota.Succeeded, rota.Failed
	if when == rota.AfterFail {
		runs, not = not, runs
	}
	switch wants := j.after.wants; {
	case len(wants) > 1 || wants[0] == rota.Cancelled:
		j.ends(rota.Succeeded, rota.Cancelled)
	case wants[0] == not:
		j.ends(rota.Cancelled)
	case wants[0] == runs:
	}
}
