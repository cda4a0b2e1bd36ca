package rota

// Queue is a named line of tasks with its settings.
type Queue struct {
	Name       string        `json:"name"`
	Discipline string        `json:"discipline" doc:"what orders its tasks; priority: higher first, then older"`
	Paused     bool          `json:"paused,omitempty" doc:"nothing of it is claimed"`
	Limits     Allowance     `json:"limits,omitzero" doc:"of its attempts: what holds where a job says nothing, and at most"`
	Counts     map[State]int `json:"counts" doc:"its tasks by state"`
}

// QueueChange changes settings of a queue: what it does not name stays as it is.
type QueueChange struct {
	Limits AllowanceChange `json:"limits,omitzero"`
}
