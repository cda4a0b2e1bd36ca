package sqlstore

import (
	"sync"

	"github.com/rotaqueue/rota"
)

// template is what all tasks of a job have in common and what never changes, or with the shape only.
type template struct {
	rota.Assignment
	lane   int64
	gates  gates
	flow   int64
	notify bool  // somebody is told of its end
	shape  int64 // under which it was read
}

// learned is a template that holds once its transaction is committed.
type learned struct {
	job rota.JobID
	template
}

// templates remembers jobs' templates: a job that is claimed soon after it was submitted, or again and again, is not read
// again. It is bounded; what it forgot is read.
type templates struct {
	mu    sync.Mutex
	known map[rota.JobID]template
	order []rota.JobID // a ring: the oldest is forgotten first
	next  int
}

const templatesKept = 1024

func (m *templates) get(id rota.JobID, shape int64) (template, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.known[id]
	return a, ok && a.shape == shape
}

func (m *templates) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.known)
}

func (m *templates) put(id rota.JobID, a template) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known, m.order = make(map[rota.JobID]template, templatesKept), make([]rota.JobID, templatesKept)
	}
	if _, ok := m.known[id]; !ok {
		delete(m.known, m.order[m.next])
		m.order[m.next] = id
		m.next = (m.next + 1) % templatesKept
	}
	m.known[id] = a
}

// learn puts what committed transactions have learned.
func (m *templates) learn(all []learned) {
	for _, l := range all {
		m.put(l.job, l.template)
	}
}

func (m *templates) drop(id rota.JobID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.known, id)
}
