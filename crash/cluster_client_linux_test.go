package crash_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/api"
)

// anyone is a client of a cluster: each call goes to a node that chance chooses, and is given up soon where the node
// does not answer, so that who repeats it asks another.
type anyone struct {
	members []*member

	mu     sync.Mutex
	random *rand.Rand
}

const answerIn = 3 * time.Second

func newAnyone(members []*member, seed uint64) *anyone {
	return &anyone{members: members, random: rand.New(rand.NewPCG(seed, 0))}
}

func (a *anyone) one() *api.Client {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.members[a.random.IntN(len(a.members))].client
}

// ask makes a call to one of them.
func ask[T any](ctx context.Context, a *anyone, wait time.Duration, call func(context.Context, *api.Client) (T, error)) (T, error) {
	inTime, cancel := context.WithTimeout(ctx, answerIn+wait)
	defer cancel()
	out, err := call(inTime, a.one())
	if err != nil && inTime.Err() != nil && ctx.Err() == nil {
		err = rota.Errorf(rota.ErrUnavailable, "the node did not answer: %v", err)
	}
	return out, err
}

func (a *anyone) Submit(ctx context.Context, s rota.Submission) (rota.Submitted, error) {
	return ask(ctx, a, 0, func(ctx context.Context, c *api.Client) (rota.Submitted, error) { return c.Submit(ctx, s) })
}

func (a *anyone) Upload(ctx context.Context, job rota.JobID, p rota.Part) (rota.Submitted, error) {
	return ask(ctx, a, 0, func(ctx context.Context, c *api.Client) (rota.Submitted, error) { return c.Upload(ctx, job, p) })
}

func (a *anyone) Watch(ctx context.Context, job rota.JobID, seen rota.Progress, wait time.Duration) (rota.Progress, error) {
	return ask(ctx, a, wait, func(ctx context.Context, c *api.Client) (rota.Progress, error) { return c.Watch(ctx, job, seen, wait) })
}

func (a *anyone) Operate(ctx context.Context, op rota.Operation) (rota.Operation, error) {
	return ask(ctx, a, 0, func(ctx context.Context, c *api.Client) (rota.Operation, error) { return c.Operate(ctx, op) })
}

func (a *anyone) Status(ctx context.Context) (rota.Status, error) {
	return ask(ctx, a, 0, func(ctx context.Context, c *api.Client) (rota.Status, error) { return c.Status(ctx) })
}

func (a *anyone) Tasks(ctx context.Context, q rota.TaskQuery) ([]rota.Task, error) {
	return ask(ctx, a, 0, func(ctx context.Context, c *api.Client) ([]rota.Task, error) { return c.Tasks(ctx, q) })
}

func (a *anyone) Nodes(ctx context.Context) ([]rota.Node, error) {
	return ask(ctx, a, 0, func(ctx context.Context, c *api.Client) ([]rota.Node, error) { return c.Nodes(ctx) })
}

func (a *anyone) Close() {
	for _, n := range a.members {
		n.client.Close()
	}
}
