package sqlstore

import "github.com/rotaqueue/rota"

// templates remembers what assignments say of their jobs, which never changes: a job that is claimed soon after it was
// submitted, or again and again, is not read again. It is bounded; what it forgot is read.
type templates struct {
	known map[rota.JobID]rota.Assignment
	order []rota.JobID // a ring: the oldest is forgotten first
	next  int
}

const templatesKept = 1024

func (m *templates) get(id rota.JobID) (rota.Assignment, bool) {
	a, ok := m.known[id]
	return a, ok
}

func (m *templates) put(id rota.JobID, a rota.Assignment) {
	if m.known == nil {
		m.known, m.order = make(map[rota.JobID]rota.Assignment, templatesKept), make([]rota.JobID, templatesKept)
	}
	if _, ok := m.known[id]; !ok {
		delete(m.known, m.order[m.next])
		m.order[m.next] = id
		m.next = (m.next + 1) % templatesKept
	}
	m.known[id] = a
}

func (m *templates) drop(id rota.JobID) { delete(m.known, id) }
