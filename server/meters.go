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
	return []prometheus.Collector{m.submitted, m.claimed, m.finished, m.exchanges, tasksGauge{s.store}}
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
