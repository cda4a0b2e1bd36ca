package discipline

import "github.com/rotaqueue/rota"

// fifo: first in, first out, whatever the priority.
func fifo(*rota.Spec) int64 { return 0 }
