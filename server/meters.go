package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rotaqueue/rota"
)

// meters count what passes through this server, since it started.
type meters struct {
	submitted prometheus.Counter
	claimed   prometheus.Counter
	finished  *prometheus.CounterVec
	exchanges prometheus.Histogram
}

func newMeters() *meters {
	return &meters{
		submitted: prometheus.NewCounter(prometheus.CounterOpts{Name: "rota_submitted_total",
			Help: "Jobs submitted through this server, fired ones included."}),
		claimed: prometheus.NewCounter(prometheus.CounterOpts{Name: "rota_claimed_total",
			Help: "Attempts claimed through this server."}),
		finished: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rota_finished_total",
			Help: "Attempts that ended, as recorded through this server, by outcome."}, []string{"outcome"}),
		exchanges: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "rota_exchange_duration_seconds",
			Help:    "Time that the store took for an exchange: finish what ended and claim what fits.",
			Buckets: prometheus.ExponentialBuckets(0.000_25, 2, 15)}),
	}
}

// exchanged counts what an exchange did. An exchange that is repeated is counted again.
func (m *meters) exchanged(x *rota.Exchange, done *rota.Exchanged, took time.Duration) {
	m.exchanges.Observe(took.Seconds())
	m.claimed.Add(float64(len(done.Claimed)))
	refused := make(map[rota.Try]bool, len(done.Refused))
	for i := range done.Refused {
		refused[done.Refused[i].Try] = true
	}
	for i := range x.Finished {
		if f := &x.Finished[i]; !refused[f.Try] {
			m.finished.WithLabelValues(string(f.Outcome)).Inc()
		}
	}
}

// Metrics are the server's metrics, ready to be registered.
func (s *Server) Metrics() []prometheus.Collector {
	m := s.meters
	return []prometheus.Collector{m.submitted, m.claimed, m.finished, m.exchanges, tasksGauge{s.store}, nodesGauge{s.store}}
}

// tasksGauge reads the store's counters when it is asked.
type tasksGauge struct{ store rota.Store }

var tasksDesc = prometheus.NewDesc("rota_tasks", "Tasks in the store by queue and state.", []string{"queue", "state"}, nil)

// Describe says which metric this is.
func (g tasksGauge) Describe(ch chan<- *prometheus.Desc) { ch <- tasksDesc }

// Collect reads the queues' counters; a store that does not answer within five seconds is an error of the scrape.
func (g tasksGauge) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	queues, err := g.store.Queues(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(tasksDesc, err)
		return
	}
	for _, q := range queues {
		for _, state := range rota.States {
			ch <- prometheus.MustNewConstMetric(tasksDesc, prometheus.GaugeValue, float64(q.Counts[state]), q.Name, state.String())
		}
	}
}

// nodesGauge reads what each node that is there told last (D6).
type nodesGauge struct{ store rota.Store }

// nodeFigure is one figure of a node. Those of its machine are there once the node has told of it.
type nodeFigure struct {
	desc    *prometheus.Desc
	machine bool
	of      func(n *rota.Node) float64
}

func newNodeFigure(name, help string, machine bool, of func(n *rota.Node) float64) nodeFigure {
	return nodeFigure{prometheus.NewDesc(name, help, []string{"node"}, nil), machine, of}
}

var nodeFigures = []nodeFigure{
	newNodeFigure("rota_node_slots", "Attempts that a node runs at once at most.", false, func(n *rota.Node) float64 { return float64(n.Slots) }),
	newNodeFigure("rota_node_running", "Attempts that a node runs.", false, func(n *rota.Node) float64 { return float64(n.Running) }),
	newNodeFigure("rota_node_load1", "Load average of a node's machine over a minute.", true, func(n *rota.Node) float64 { return n.Sample.Load1 }),
	newNodeFigure("rota_node_cpus", "CPUs of a node's machine.", true, func(n *rota.Node) float64 { return float64(n.Sample.CPUs) }),
	newNodeFigure("rota_node_memory_used_bytes", "Memory of a node's machine that is not available to programs.", true,
		func(n *rota.Node) float64 { return float64(n.Sample.MemoryUsed) }),
	newNodeFigure("rota_node_memory_total_bytes", "Memory of a node's machine.", true, func(n *rota.Node) float64 { return float64(n.Sample.MemoryTotal) }),
	newNodeFigure("rota_node_disk_free_bytes", "Room that is left where a node's data folder is.", true,
		func(n *rota.Node) float64 { return float64(n.Sample.DiskFree) }),
	newNodeFigure("rota_node_disk_total_bytes", "Size of the file system where a node's data folder is.", true,
		func(n *rota.Node) float64 { return float64(n.Sample.DiskTotal) }),
}

// Describe says which metrics these are.
func (g nodesGauge) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range nodeFigures {
		ch <- f.desc
	}
}

// Collect reads the nodes that are there; see tasksGauge.
func (g nodesGauge) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	nodes, err := g.store.Nodes(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(nodeFigures[0].desc, err)
		return
	}
	for i := range nodes {
		n := &nodes[i]
		if n.State == rota.NodeDown || n.State == rota.NodeLost {
			continue
		}
		for _, f := range nodeFigures {
			if !f.machine || n.Sample != nil {
				ch <- prometheus.MustNewConstMetric(f.desc, prometheus.GaugeValue, f.of(n), n.Name)
			}
		}
	}
}
