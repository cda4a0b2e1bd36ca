package cli

import (
	"testing"
)

func TestActs(t *testing.T) {
	w := newUp(t)
	for range 4 {
		w.ok("submit", "--hold", "-n", "batch", "--retries", "0", "-c", "exit 1")
	}
	if r := w.run("cancel", "1"); r.code != 0 || r.err != "1 task cancelled\n" {
		t.Errorf("%+v", r)
	}
	w.fails(1, "1 is cancelled", "cancel", "1")
	w.fails(3, "job 77", "cancel", "77,2")
	w.fails(2, "nothing is selected", "cancel")
	w.fails(2, "3 tasks would be cancelled, and there is nobody to ask", "cancel", "name:batch")
	if r := w.run("cancel", "--dry-run", "--state", "held"); r.out != "3 tasks would be cancelled\n" {
		t.Errorf("%+v", r)
	}
	w.fails(3, "nothing to release: no task is selected that is held", "release", "name:nobody*", "--yes")
	if r := w.run("release", "name:batch", "--yes"); r.err != "3 tasks released\n" {
		t.Errorf("%+v", r)
	}
	w.run("wait", "2-4")
	if r := w.run("retry", "2"); r.err != "1 task to be tried again\n" {
		t.Errorf("%+v", r)
	}
	w.run("wait", "2")
	if r := w.run("rm", "2-4", "1"); r.err != "4 jobs removed\n" {
		t.Errorf("%+v", r)
	}
	if out := w.ok("ls", "-q"); out != "" {
		t.Errorf("left: %q", out)
	}
	w.ok("submit", "-c", "trap '' TERM; while :; do sleep 1; done")
	if r := w.run("kill", "--wait", "last"); r.code != 0 || r.err != "1 task killed\n" {
		t.Errorf("%+v", r)
	}
	if r := w.run("wait", "last"); r.code != 125 && r.code != 137 {
		t.Errorf("%+v", r)
	}
}
