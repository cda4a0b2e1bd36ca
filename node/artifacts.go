package node

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/crash/at"
	"github.com/rotaqueue/rota/executor"
)

// perMiB is how much longer than others a call may take for each MiB that it carries.
const perMiB = 5 * time.Second

// keepArtifacts keeps the files that an attempt left, one after the other, and reports whether it came to an end with them.
// What cannot be kept is told with the attempt's end. The copies are of no use after that.
func (n *Node) keepArtifacts(ctx context.Context, p *plan) bool {
	for i := range p.artifacts {
		a := &p.artifacts[i]
		err := n.until(ctx, "artifact", p.try, n.opts.TTL+time.Duration(a.Size>>20)*perMiB, func(ctx context.Context) error {
			return n.keepArtifact(ctx, p.try, a)
		})
		at.Point("daemon: artifact kept")
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			p.missed = join(p.missed, fmt.Sprintf("%q: %v", a.Name, err))
		}
		p.spent = append(p.spent, a.Path)
	}
	return true
}

func (n *Node) keepArtifact(ctx context.Context, try rota.Try, a *executor.Artifact) error {
	f, err := os.Open(a.Path)
	if err != nil {
		return rota.Errorf(rota.ErrNotFound, "%v", err)
	}
	defer f.Close()
	return n.svc.KeepArtifact(ctx, rota.Artifact{Try: try, Name: a.Name, Size: a.Size, Blob: rota.BlobID(a.Sum)}, f)
}
