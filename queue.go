package rota

// Queue is a named line of tasks with its settings.
type Queue struct {
	Name       string        `json:"name"`
	Discipline string        `json:"discipline" doc:"what orders its tasks; priority: higher first, then older"`
	Paused     bool          `json:"paused,omitempty" doc:"nothing of it is claimed"`
	Counts     map[State]int `json:"counts" doc:"its tasks by state"`
}
