package doctor

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// checkServers asks each server that a node without a store works for. It needs one of them.
func checkServers(ctx context.Context, p Place) Finding {
	if len(p.Servers) == 0 {
		return ok("the node has a store of its own")
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	errs := make([]error, len(p.Servers))
	var asked sync.WaitGroup
	for i, s := range p.Servers {
		asked.Go(func() { errs[i] = s.Ask(ctx) })
	}
	asked.Wait()
	var answer, silent []string
	for i, s := range p.Servers {
		if errs[i] == nil {
			answer = append(answer, s.Address)
		} else {
			silent = append(silent, fmt.Sprintf("%s: %v", s.Address, errs[i]))
		}
	}
	fix := "rota doctor there says what is wrong; compare the certificate's fingerprint with what follows the # here"
	switch {
	case len(answer) == 0:
		return fail(fix, "no server answers: %s", strings.Join(silent, "; "))
	case len(silent) > 0:
		return warn(fix, "of %d servers %d answer; not: %s", len(p.Servers), len(answer), strings.Join(silent, "; "))
	}
	return ok("%s", "all answer: "+strings.Join(answer, ", "))
}
