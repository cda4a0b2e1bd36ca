package web

import "github.com/rotaqueue/rota"

// statsPage are figures: of all, and of each queue.
type statsPage struct {
	Status rota.Status
	Queues []queueRow
	Sum    queueRow
	Charts []*chart
	Ranges []pill
	Nodes  int
}

func (p *Pages) stats(r *request) (err error) {
	last, ranges := r.chartsOf()
	d := statsPage{Charts: p.storeCharts(r, last), Ranges: ranges}
	if d.Status, err = p.svc.Status(r.Context()); err != nil {
		return err
	}
	queues, err := p.svc.Queues(r.Context())
	if err != nil {
		return err
	}
	nodes, err := p.svc.Nodes(r.Context())
	if err != nil {
		return err
	}
	d.Nodes = len(nodes)
	d.Queues = queueRows(queues)
	d.Sum = queueRows([]rota.Queue{{Name: "all", Counts: countsOf(queues)}})[0]
	r.Topics = []string{topicTasks}
	r.show("stats", "Stats", d)
	return nil
}
