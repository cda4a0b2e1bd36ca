package discipline

// priority: the higher priority first, then the older task.
var priority = Discipline{ranks: func(a Arrival, _ int) (first, step int64) { return -int64(a.Priority), 0 }}
