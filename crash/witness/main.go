// Command witness is what the jobs of the crash tests run. It records when it begins and ends on the clock that all
// processes of the machine share, and looks whether anything lives that should be dead before it begins. It touches
// the file of its records, and /proc.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/clock"
	"github.com/rotaqueue/rota/crash"
)

// broken is the exit code of a witness that could not do its work: no test expects it.
const broken = 99

// forever is longer than any test.
const forever = 10 * time.Minute

var (
	file  = flag.String("file", "", "`file` of the records")
	spans = flag.Duration("for", 0, "works up to so `long`")
	out   = flag.Int("out", 0, "writes up to so many `bytes`")
	errs  = flag.Int("err", 0, "writes up to so many `bytes` to standard error")
	fails = flag.Int("fail", 0, "fails until it has failed so `many` times")
	reads = flag.Bool("read", false, "reads standard input")
	hangs = flag.Bool("hang", false, "works for ever")
	deaf  = flag.Bool("deaf", false, "does not hear TERM")
	keep  = flag.Bool("keep", false, "leaves its text in its working folder as well")
	leave = flag.Bool("leave", false, "leaves a child behind")
	newer = flag.Bool("upgraded", false, "may run beside older ones: its node was upgraded under them")
	bytes = flag.Int64("bytes", 0, "writes so `many` bytes of the text without an end, and does nothing else; negative: without an end")
	child = flag.Bool("child", false, "is that child")
)

func main() {
	flag.Parse()
	if *bytes != 0 {
		if err := pour(*bytes); err != nil {
			os.Exit(broken)
		}
		os.Exit(0)
	}
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "witness:", err)
		code = broken
	}
	os.Exit(code)
}

func run() (code int, err error) {
	me, err := newRecord()
	if err != nil {
		return 0, err
	}
	if *deaf {
		signal.Ignore(syscall.SIGTERM)
	}
	if *child {
		return 0, linger(me)
	}
	if err := me.say(crash.Begin); err != nil {
		return 0, err
	}
	if err := tellStrays(me); err != nil {
		return 0, err
	}
	if err := me.work(); err != nil {
		return 0, err
	}
	if mayFail(me.Task) {
		me.Exit = 3
	}
	return me.Exit, me.say(crash.End)
}

// record is what the process says of itself.
type record struct{ crash.Record }

func newRecord() (*record, error) {
	task, err := rota.ParseTaskID(os.Getenv("ROTA_TASK"))
	if err != nil {
		return nil, err
	}
	attempt, err := strconv.Atoi(os.Getenv("ROTA_ATTEMPT"))
	if err != nil {
		return nil, err
	}
	return &record{crash.Record{Try: rota.Try{Task: task, Attempt: attempt}, Node: os.Getenv("ROTA_NODE"), PID: os.Getpid(), Of: node()}}, nil
}

func (r *record) say(word string) error {
	line := r.Record
	line.Word, line.At = word, clock.Elapsed()
	return line.Append(*file)
}

// work is what the attempt does: it writes one half of its text at once and the other at the end.
func (r *record) work() error {
	if *leave {
		if err := leaveChild(); err != nil {
			return err
		}
	}
	if *reads {
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		r.In = crash.SumOf(text)
	}
	text, complaint := crash.Text(r.Try, rota.Stdout, *out), crash.Text(r.Try, rota.Stderr, *errs)
	if err := write(text[:len(text)/2], complaint[:len(complaint)/2]); err != nil {
		return err
	}
	if *keep {
		if err := os.WriteFile("left", text, 0o600); err != nil {
			return err
		}
	}
	if *spans > 0 {
		time.Sleep(time.Duration(crash.Random(r.Try, "for").Int64N(int64(*spans))))
	}
	if *hangs {
		time.Sleep(forever)
	}
	r.Out, r.Err = crash.SumOf(text), crash.SumOf(complaint)
	return write(text[len(text)/2:], complaint[len(complaint)/2:])
}

// pour writes the beginning of the text without an end, and ends at once.
func pour(n int64) error {
	b := make([]byte, 1<<20)
	for at := int64(0); n < 0 || at < n; {
		part := b
		if n > 0 {
			part = b[:min(int64(len(b)), n-at)]
		}
		crash.Fill(part, at)
		if _, err := os.Stdout.Write(part); err != nil {
			return err
		}
		at += int64(len(part))
	}
	return nil
}

func write(text, complaint []byte) error {
	if _, err := os.Stdout.Write(text); err != nil {
		return err
	}
	_, err := os.Stderr.Write(complaint)
	return err
}

// leaveChild starts a child that does not end by itself, and returns when it runs.
func leaveChild() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "-file", *file, "-child")
	runs, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	_, err = runs.Read(make([]byte, 1))
	return err
}

func linger(me *record) error {
	if err := me.say(crash.Child); err != nil {
		return err
	}
	if _, err := os.Stdout.Write([]byte{1}); err != nil {
		return err
	}
	time.Sleep(forever)
	return nil
}

// tellStrays records what lives and should not: processes of earlier attempts of the same task (I4, I6) and, from the
// first attempt that a keeper starts, those of the same node that are older than the keeper.
func tellStrays(me *record) error {
	node, known := crash.Look(me.Of)
	first := known && !*newer && isFirst(node)
	if me.Attempt == 1 && !first {
		return nil
	}
	for _, p := range crash.Marked(os.Getenv(crash.MarkName)) {
		t := p.Try()
		other := t.Task == me.Task && t.Attempt != me.Attempt
		older := first && p.Started < node.Started && p.Node() == me.Node
		if !other && !older || !p.Runs() {
			continue
		}
		line := me.Record
		line.Word, line.PID, line.At = crash.Stray, p.PID, clock.Elapsed()
		line.Try = t
		if err := line.Append(*file); err != nil {
			return err
		}
	}
	return nil
}

// mayFail reports whether the task has not failed often enough, and counts.
func mayFail(task rota.TaskID) bool {
	for n := range *fails {
		if create(fmt.Sprintf("fail.%v.%d", task, n)) {
			return true
		}
	}
	return false
}

// isFirst reports whether no attempt of the node came before.
func isFirst(node crash.Process) bool {
	return create(fmt.Sprintf("life.%d.%d", node.PID, node.Started))
}

// create makes a file beside the records; false when it is there already.
func create(name string) bool {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(*file), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// node is the process of the node: the parent of the group's leader.
func node() int {
	leader, runs := crash.Look(syscall.Getpgrp())
	if !runs || leader.Parent == 1 {
		return 0
	}
	return leader.Parent
}
