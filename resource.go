package rota

// Limits bound what one attempt may use of its machine. Zero is no limit.
type Limits struct {
	Memory int64   `json:"mem,omitempty" doc:"bytes of memory that all its processes may use together; one that uses more is ended"`
	CPUs   float64 `json:"cpus,omitempty" doc:"CPUs whose time all its processes may use together, such as 1.5"`
	PIDs   int     `json:"pids,omitempty" doc:"processes and threads that it may have at once"`
	Nice   int     `json:"nice,omitempty" doc:"from -20 (first) to 19 (last): its place among the programs of its machine"`
}

// Sample is what an attempt's processes used, together, at one moment.
type Sample struct {
	Memory    int64    `json:"memory" doc:"bytes"`
	CPU       Duration `json:"cpu" doc:"CPU time since its start"`
	Processes int      `json:"processes"`
}
