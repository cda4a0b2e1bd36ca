package discipline

import "github.com/rotaqueue/rota"

// priority: the higher priority first, then the older task.
func priority(s *rota.Spec) int64 { return -int64(s.Priority) }
