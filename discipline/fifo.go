package discipline

// fifo: first in, first out, whatever the priority.
var fifo = Discipline{ranks: func(Arrival, int) (first, step int64) { return 0, 0 }}
