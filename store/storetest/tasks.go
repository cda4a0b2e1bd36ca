package storetest

import (
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
)

func testTasks(s suite) {
	s.test("in_the_order_of_ids_in_pages", tasksPages)
	s.test("filters", tasksFilters)
}

func (w *world) tasks(t tb, q rota.TaskQuery) []rota.TaskID {
	t.Helper()
	tasks, err := w.Tasks(w.ctx, q)
	if err != nil {
		t.Fatalf("tasks: %v", err)
	}
	ids := make([]rota.TaskID, len(tasks))
	for i, x := range tasks {
		ids[i] = x.ID
	}
	return ids
}

func tasksPages(t *testing.T, w *world) {
	var all []rota.TaskID
	for range 3 {
		id := w.submit(t, job(array("0-39")))[0]
		for i := range 40 {
			all = append(all, rota.Element(id, i))
		}
		all = append(all, w.one(t))
	}
	newest := slices.Clone(all)
	slices.Reverse(newest)
	for _, c := range []struct {
		newest bool
		want   []rota.TaskID
	}{{false, all}, {true, newest}} {
		if got := w.tasks(t, rota.TaskQuery{Newest: c.newest}); !slices.Equal(got, c.want[:100]) {
			t.Errorf("newest %v: a page by default has %d tasks", c.newest, len(got))
		}
		var got []rota.TaskID
		q := rota.TaskQuery{Newest: c.newest, Max: 7}
		for page := w.tasks(t, q); len(page) > 0; page = w.tasks(t, q) {
			if len(page) > 7 {
				t.Fatalf("a page of 7 has %d tasks", len(page))
			}
			got = append(got, page...)
			q.After = page[len(page)-1]
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("newest %v: pages have %v", c.newest, got)
		}
	}
}

func tasksFilters(t *testing.T, w *world) {
	a := w.submit(t, job(array("1-4"), named("sweep"), queue("gpu"), by("bob")))[0]
	b := w.one(t, named("plain"), func(j *rota.NewJob) { j.Spec.Labels = map[string]string{"team": "x"} })
	w.operate(t, rota.ActHold, only(rota.Element(a, 2), rota.Element(a, 3)))
	element := func(is ...int) []rota.TaskID {
		var all []rota.TaskID
		for _, i := range is {
			all = append(all, rota.Element(a, i))
		}
		return all
	}
	for name, c := range map[string]struct {
		q    rota.TaskQuery
		want []rota.TaskID
	}{
		"all":       {rota.TaskQuery{}, append(element(1, 2, 3, 4), b)},
		"job":       {rota.TaskQuery{Filter: whole(a)}, element(1, 2, 3, 4)},
		"state":     {rota.TaskQuery{Filter: rota.Filter{States: []rota.State{rota.Held}}}, element(2, 3)},
		"states":    {rota.TaskQuery{Filter: rota.Filter{States: []rota.State{rota.Held, rota.Ready}, Queue: "gpu"}}, element(1, 2, 3, 4)},
		"newest":    {rota.TaskQuery{Filter: rota.Filter{States: []rota.State{rota.Ready}}, Newest: true}, []rota.TaskID{b, element(4)[0], element(1)[0]}},
		"after":     {rota.TaskQuery{Filter: whole(a), After: rota.Element(a, 2)}, element(3, 4)},
		"before":    {rota.TaskQuery{Filter: whole(a), After: rota.Element(a, 3), Newest: true}, element(2, 1)},
		"name":      {rota.TaskQuery{Filter: rota.Filter{Name: "sw*p"}}, element(1, 2, 3, 4)},
		"label":     {rota.TaskQuery{Filter: rota.Filter{Labels: map[string]string{"team": "x"}}}, []rota.TaskID{b}},
		"submitter": {rota.TaskQuery{Filter: rota.Filter{Submitter: "bob"}, Max: 1}, element(1)},
		"spans":     {rota.TaskQuery{Filter: rota.Filter{Tasks: []rota.Span{{First: rota.Element(a, 2), Last: rota.Element(a, 3)}, {First: b, Last: b}}}}, append(element(2, 3), b)},
		"none":      {rota.TaskQuery{Filter: rota.Filter{Queue: "none"}}, nil},
	} {
		if got := w.tasks(t, c.q); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
