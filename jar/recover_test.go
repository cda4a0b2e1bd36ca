package jar

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rotaqueue/rota"
)

func (w *world) recover(named ...string) ([]Recovered, error) {
	return w.recovery(named...).Run()
}

func (w *world) recovery(named ...string) Recovery {
	return Recovery{Jar: w.Jar, Here: Here("rain"), Named: named, Clear: func(string) error { return nil }}
}

// recovered is what became of dead workers' jobs, as words.
func (w *world) recovered(named ...string) string {
	w.Helper()
	done, err := w.recover(named...)
	w.must(err)
	var words []string
	for _, r := range done {
		words = append(words, fmt.Sprint(r.Category, "/", r.Job, map[bool]string{true: "!"}[r.Completed]))
	}
	return strings.Join(words, " ")
}

func TestJ5ADeadWorkersJobIsGivenBackOnce(t *testing.T) {
	w := newWorld(t)
	w.put("LINUX", "first.4")
	w.put("LINUX", "second.4")
	w.put("", "plain")
	living, dead, other := w.worker("rain"), w.dead("rain", "LINUX"), w.dead("flower", "LINUX")
	w.claim(dead)
	w.claim(other)
	w.claim(living)
	w.must(os.MkdirAll(filepath.Join(dead.Dir(), scratchDir, "1", "left"), 0o700))
	if got := w.recovered(); got != "LINUX/first.4" {
		t.Errorf("recovered %s", got)
	}
	if got := w.recovered(); got != "" {
		t.Errorf("and again %s", got)
	}
	w.wantTree("the others' stay", "claimed/plain -> ../workers/"+living.Name()+"/plain", "claimed/second.4 -> ../workers/"+other.Name()+"/second.4",
		"unclaimed/LINUX/first.4", "workers/"+other.Name()+"/second.4", "workers/"+living.Name()+"/plain")
	if isThere(filepath.Join(dead.Dir(), scratchDir)) || !isThere(filepath.Join(dead.Dir(), lifeFile)) {
		t.Error("of the dead worker all but its scratch folders stays")
	}
	// It has the place in the order that it had, and its link is the next one's.
	w.put("LINUX", "later.4")
	if c := w.claim(w.worker("rain", "LINUX")); c.Name != "first.4" || c.linked != "first.4" {
		t.Errorf("claimed %+v", c)
	}
}

// TestJ5NeverWhileItLives: whether a worker lives is known by more than its number, and where it is not known nothing is
// given back.
func TestJ5NeverWhileItLives(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	here := Here("rain")
	for name, c := range map[string]struct {
		change func(*Life)
		want   Verdict
	}{
		"this process":                     {func(*Life) {}, Lives},
		"a process that is no more":        {func(l *Life) { l.PID = gone.Process.Pid }, Dead},
		"another process with the number":  {func(l *Life) { l.Start++ }, Dead},
		"before the machine's last start":  {func(l *Life) { l.Boot = "another" }, Dead},
		"another machine of that name":     {func(l *Life) { l.Machine, l.Boot = "another", "another" }, Unknown},
		"another container":                {func(l *Life) { l.Namespace = "pid:[1]" }, Unknown},
		"nothing is said":                  {func(l *Life) { *l = Life{} }, Unknown},
		"the first process of the machine": {func(l *Life) { l.PID, l.Start = 1, 0 }, Lives},
	} {
		t.Run(name, func(t *testing.T) {
			if here.Start == 0 && name == "another process with the number" || here.Boot == "" && strings.HasPrefix(name, "before") {
				t.Skip("this system does not tell when a process, or the machine, was started")
			}
			if here.Machine == "" && strings.Contains(name, "another machine") {
				t.Skip("this machine has no name of its own")
			}
			life := here
			c.change(&life)
			if got, why := life.judge(here); got != c.want || (got == Unknown) != (why != "") {
				t.Errorf("%s (%s), want %s", got, why, c.want)
			}
			w := newWorld(t)
			w.put("", "job")
			worker := w.register(here)
			w.claim(worker)
			w.must(os.Remove(filepath.Join(worker.Dir(), lifeFile)))
			if life.PID != 0 {
				w.must(life.write(worker.Dir()))
			}
			done, err := w.recover()
			if given := len(done) == 1 && !isThere(filepath.Join(worker.Dir(), "job")); given != (c.want == Dead) || (err != nil) != (c.want == Unknown) {
				t.Errorf("recovered %v, %v", done, err)
			}
			// Somebody who knows better may say so, but not of one that lives.
			done, err = w.recover(worker.Name())
			if given := len(done) == 1; given != (c.want == Unknown) || (c.want == Lives) != errors.Is(err, rota.ErrConflict) {
				t.Errorf("named: recovered %v, %v", done, err)
			}
		})
	}
}

// TestJ5NotWhileSomethingOfItRuns: a job is given back only when nothing of it is left.
func TestJ5NotWhileSomethingOfItRuns(t *testing.T) {
	w := newWorld(t)
	w.put("", "job")
	dead := w.dead("rain")
	w.claim(dead)
	r := w.recovery()
	var asked []string
	r.Clear = func(folder string) error {
		asked = append(asked, folder)
		return errors.New("process 17 of it runs")
	}
	if done, err := r.Run(); err == nil || len(done) != 0 || !isThere(filepath.Join(dead.Dir(), "job")) {
		t.Errorf("%v, %v", done, err)
	}
	if len(asked) != 1 || asked[0] != dead.Life().Keeper {
		t.Errorf("asked for %q", asked)
	}
	if got := w.recovered(); got != "/job" {
		t.Errorf("recovered %s", got)
	}
}

func TestJ13JobsOfANodeAreLeftToIt(t *testing.T) {
	w := newWorld(t)
	w.put("", "job")
	life := Here("rain")
	life.Start--
	life.Holder = "the mark of a node"
	dead := w.register(life)
	w.claim(dead)
	if done, err := w.recover(); len(done) != 0 || !errors.Is(err, rota.ErrConflict) || !strings.Contains(err.Error(), "Rota node") {
		t.Errorf("%v, %v", done, err)
	}
	if got := w.recovered(dead.Name()); got != "/job" {
		t.Errorf("named: recovered %s", got)
	}
}

// TestJ9AnInterruptedEndIsFinished: once the exit code is kept the job has ended. Whoever finds it, wherever its worker
// came to, moves it to where it belongs, and does not give it back.
func TestJ9AnInterruptedEndIsFinished(t *testing.T) {
	done := []string{`completed/.job.err "rota: so it is\n"`, `completed/.job.exit "7\n"`, `completed/.job.out "text"`, "completed/job"}
	for n, interrupt := range []func(w *world, c *Claim){
		func(*world, *Claim) {}, // the code is kept
		func(w *world, c *Claim) { _, err := c.reserve(); w.must(err) },
		func(w *world, c *Claim) {
			_, err := c.reserve()
			w.must(err)
			w.must(os.Rename(filepath.Join(c.dir, ".job.out"), filepath.Join(w.Completed(), ".job.out")))
		},
		func(w *world, c *Claim) { // nothing is left but the link
			_, err := c.finish()
			w.must(err)
			w.must(os.Symlink(c.target(), filepath.Join(w.Claimed(), "job")))
		},
	} {
		w := newWorld(t)
		w.put("LINUX", "job")
		dead := w.dead("rain", "LINUX")
		c := w.claim(dead)
		w.must(os.WriteFile(filepath.Join(dead.Dir(), ".job.out"), []byte("text"), 0o600))
		w.must(c.keepNote("so it is"))
		w.must(c.keepCode(7))
		interrupt(w, c)
		if got, want := w.recovered(), "LINUX/job!"; n < 3 && got != want || n == 3 && got != "" {
			t.Errorf("interrupted at %d: recovered %q", n, got)
		}
		w.wantTree(fmt.Sprint("interrupted at ", n), done...)
	}
}

// TestJ9ManyFinishOnce: of many who recover at the same time what had ended, none fails, and each job and its code are there
// once, in the jar of those that are completed.
func TestJ9ManyFinishOnce(t *testing.T) {
	w := newWorld(t)
	const jobs = 200
	dead := w.dead("rain")
	var want []string
	for i := range jobs {
		name := fmt.Sprintf("job%03d", i)
		w.put("", name)
		c := w.claim(dead)
		w.must(os.WriteFile(filepath.Join(dead.Dir(), kept(name, kindOut)), []byte("text"), 0o600))
		w.must(c.keepCode(i % 3))
		want = append(want, fmt.Sprintf("completed/.%s.exit %q", name, fmt.Sprintln(i%3)), fmt.Sprintf("completed/.%s.out %q", name, "text"), "completed/"+name)
	}
	slices.Sort(want)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if _, err := w.recover(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w.wantTree("all recovered", want...)
}

// TestAnExitCodeThatWasCutShortIsNone: a machine that crashed may have lost what was not yet on the disk.
func TestAnExitCodeThatWasCutShortIsNone(t *testing.T) {
	for _, text := range []string{"", "1", "x\n"} {
		w := newWorld(t)
		w.put("", "job")
		dead := w.dead("rain")
		w.claim(dead)
		w.must(os.WriteFile(filepath.Join(dead.Dir(), ".job.exit"), []byte(text), 0o600))
		if got := w.recovered(); got != "/job" {
			t.Errorf("%q: recovered %s", text, got)
		}
		w.wantTree(text, "unclaimed/job")
	}
}

// TestJ5ManyRecoverOnce: of many who recover at the same time, with workers that claim what comes back, each job comes
// back once.
func TestJ5ManyRecoverOnce(t *testing.T) {
	w := newWorld(t)
	const jobs = 200
	for i := range jobs {
		w.put("", fmt.Sprint("job", i))
		w.claim(w.dead("rain"))
	}
	var mu sync.Mutex
	given := map[string]int{}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			done, err := w.recover()
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, r := range done {
				given[r.Job]++
			}
		})
	}
	claimed := map[string]int{}
	var working sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		worker, err := w.Register(Here("rain"), "")
		w.must(err)
		working.Go(func() {
			for {
				c, err := worker.Claim()
				if err != nil {
					t.Error(err)
				}
				if c == nil {
					select {
					case <-stop:
						return
					default:
						continue
					}
				}
				mu.Lock()
				claimed[c.Name]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	close(stop)
	working.Wait()
	for worker, err := w.Register(Here("rain"), ""); ; {
		w.must(err)
		c := w.claim(worker)
		if c == nil {
			break
		}
		claimed[c.Name]++
	}
	for i := range jobs {
		if name := fmt.Sprint("job", i); claimed[name] != 1 {
			t.Errorf("%s came back and was claimed %d times", name, claimed[name])
		}
	}
}

// FuzzLife: no text of a worker's directory makes others believe what it does not say.
func FuzzLife(f *testing.F) {
	f.Add([]byte(`{"node":"rain","pid":7,"start":3,"boot":"x"}`))
	f.Add([]byte(`{"pid":-1}`))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l := parseLife(text)
		if l.PID < 0 {
			t.Errorf("%q: process %d", text, l.PID)
		}
		if l.PID == 0 {
			if v, _ := l.judge(Here("rain")); v != Unknown {
				t.Errorf("%q: %s", text, v)
			}
		}
	})
}
