package servicetest

import (
	"time"

	"github.com/rotaqueue/rota"
)

var lookTests = []contract{
	{"what runs at another server's node is seen", lookSeen},
	{"a look is told once, and each wish is one", lookTold},
	{"what is shown is bounded", lookBounded},
}

// looks waits for what the node is to show.
func (m *machine) looks() rota.Look {
	m.c.w.Helper()
	var all []rota.Look
	m.c.w.eventually("somebody looks at "+m.name, func() bool {
		news, err := m.c.Await(m.c.ctx, m.id, time.Second)
		if err != nil {
			m.c.w.Fatalf("await: %v", err)
		}
		all = append(all, news.Looks...)
		return len(all) > 0
	})
	if len(all) != 1 {
		m.c.w.Errorf("looks %+v, want one", all)
	}
	return all[0]
}

func (m *machine) show(l rota.Look, out rota.Output) {
	m.c.w.Helper()
	if err := m.c.ShowOutput(m.c.ctx, l, out); err != nil {
		m.c.w.Fatalf("show %+v: %v", l, err)
	}
}

// reads asks for output of a task, and waits.
func (c *client) reads(id rota.TaskID, offset int64) <-chan rota.Output {
	got := make(chan rota.Output, 1)
	go func() {
		out, err := c.Output(c.ctx, rota.OutputQuery{Task: id, Stream: rota.Stderr, Offset: offset}, time.Minute)
		if err != nil {
			c.w.Errorf("output from %d: %v", offset, err)
		}
		got <- out
	}()
	return got
}

func lookSeen(w *world) {
	id := w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	got := w.viewer.reads(a.Task, 10)
	l := m.looks()
	if l.Try != a.Try || l.Stream != rota.Stderr || l.Offset != 10 || l.Max <= 0 || l.Max > rota.MaxLooked {
		w.Errorf("told of %+v", l)
	}
	m.show(l, rota.Output{Offset: 10, Size: 10}) // there is nothing yet
	m.show(l, rota.Output{Offset: 10, Size: 14, Data: []byte("text")})
	if out := soon(w, got); string(out.Data) != "text" || out.Offset != 10 || out.Size != 14 || out.Ended || out.Attempt != 1 {
		w.Errorf("seen: %+v", out)
	}
	got = w.viewer.reads(a.Task, 14)
	m.looks()
	m.ends(rota.OutcomeSucceeded, a) // it ends while somebody looks
	if out := soon(w, got); !out.Ended {
		w.Errorf("when it ended: %+v", out)
	}
	w.kim.inState(id, rota.Succeeded)
}

func lookTold(w *world) {
	w.kim.submit(run())
	m := w.node("one")
	a := m.claimOne()
	first, second := w.viewer.reads(a.Task, 0), w.kim.reads(a.Task, 0)
	var last rota.Look
	w.eventually("both have asked", func() bool {
		news, err := m.c.Await(m.c.ctx, m.id, time.Second)
		if err != nil {
			w.Fatal(err)
		}
		for _, l := range news.Looks {
			if l.Number <= last.Number {
				w.Errorf("told of number %d after %d", l.Number, last.Number)
			}
			last = l
		}
		return last.Number >= 2
	})
	m.show(last, rota.Output{Size: 1, Data: []byte("x")})
	for _, got := range []<-chan rota.Output{first, second} {
		if out := soon(w, got); string(out.Data) != "x" {
			w.Errorf("seen: %+v", out)
		}
	}
	m.ends(rota.OutcomeSucceeded, a)
}

func lookBounded(w *world) {
	l := rota.Look{Try: rota.Try{Task: rota.PlainTask(1), Attempt: 1}, Stream: rota.Stdout, Number: 1}
	err := w.admin.ShowOutput(w.admin.ctx, l, rota.Output{Data: make([]byte, rota.MaxLooked+1)})
	w.refused("much at once", err, rota.ErrTooLarge)
	if err := w.admin.ShowOutput(w.admin.ctx, l, rota.Output{Data: []byte("x")}); err != nil {
		w.Errorf("shown to nobody: %v", err)
	}
	l.Stream = "stdlog"
	w.refused("of no stream", w.admin.ShowOutput(w.admin.ctx, l, rota.Output{}), rota.ErrInvalid)
}
