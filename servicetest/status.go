package servicetest

import (
	"github.com/rotaqueue/rota"
)

var statusTests = []contract{
	{"status says who asks and what waits", statusCounts},
	{"queues have counts", queueCounts},
	{"nodes are known", knownNodes},
}

func statusCounts(w *world) {
	w.kim.submit(run(held))
	w.kim.submit(run())
	w.kim.submit(run())
	m := w.node("one")
	m.ends(rota.OutcomeSucceeded, m.claimOne())
	m.claimOne()
	st, err := w.viewer.Status(w.viewer.ctx)
	if err != nil {
		w.Fatal(err)
	}
	equal(w, "who asks", st.Principal.Name, "vic")
	equal(w, "role", st.Principal.Role, rota.RoleViewer)
	equal(w, "waiting", st.Waiting, 1)
	equal(w, "running", st.Running, 1)
	equal(w, "version", st.Version, rota.Version)
	if st.Store.ID == "" || st.Store.Now.IsZero() || len(st.Store.Secret) != 0 {
		w.Errorf("store: %+v", st.Store)
	}
}

func queueCounts(w *world) {
	w.kim.submit(run(queued("a")))
	w.kim.submit(run(queued("a"), held))
	b := w.kim.submit(run(queued("b"), array(1, 3, 0)))
	w.kim.eventuallyMade(b, 3)
	w.node("one").claimOne()
	all, err := w.viewer.Queues(w.viewer.ctx)
	if err != nil {
		w.Fatal(err)
	}
	total := map[rota.State]int{}
	byQueue := map[string]int{}
	for _, q := range all {
		for state, n := range q.Counts {
			total[state] += n
			byQueue[q.Name] += n
		}
	}
	if byQueue["a"] != 2 || byQueue["b"] != 3 || total[rota.Held] != 1 || total[rota.Running] != 1 || total[rota.Ready] != 3 {
		w.Errorf("queues: %+v", all)
	}
}

func knownNodes(w *world) {
	one, two := w.node("one"), w.node("two")
	w.kim.submit(run())
	one.claimOne()
	if err := two.c.CloseSession(two.c.ctx, two.id); err != nil {
		w.Fatal(err)
	}
	all, err := w.viewer.Nodes(w.viewer.ctx)
	if err != nil || len(all) != 2 {
		w.Fatalf("nodes: got %+v, error %v", all, err)
	}
	for _, n := range all {
		want := rota.NodeDown
		if n.Name == "one" {
			want = rota.NodeUp
			equal(w, "running on one", n.Running, 1)
		}
		equal(w, "state of "+n.Name, n.State, want)
		equal(w, "slots of "+n.Name, n.Slots, 4)
		equal(w, "executors of "+n.Name, n.Executors, map[string]string{"exec": "1"})
	}
}
