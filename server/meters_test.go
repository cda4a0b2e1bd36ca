package server

import (
	"maps"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rotaqueue/rota"
)

func TestMetrics(t *testing.T) {
	s := New(openStore(t, nil), Options{})
	for range 3 {
		if _, err := s.Submit(admin, plain("x")); err != nil {
			t.Fatal(err)
		}
	}
	open(t, s, "one")
	got, err := s.Exchange(admin, rota.Exchange{Session: "one", Seq: 1, Claim: rota.Claim{Max: 2}})
	if err != nil || len(got.Claimed) != 2 {
		t.Fatalf("claim: %+v, error %v", got, err)
	}
	if _, err := s.Exchange(admin, rota.Exchange{Session: "one", Seq: 2, Finished: []rota.Finish{
		{Try: got.Claimed[0].Try, Outcome: rota.OutcomeSucceeded}, {Try: rota.Try{Task: rota.PlainTask(4711), Attempt: 1}, Outcome: rota.OutcomeFailed}}}); err != nil {
		t.Fatal(err)
	}
	machine := rota.NodeSample{Load1: 0.5, CPUs: 2, MemoryUsed: 3, MemoryTotal: 4, DiskFree: 5, DiskTotal: 6, Slots: 9, Running: 9}
	if _, err := s.Renew(admin, rota.Renewal{Session: "one", Machine: &machine}); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s.Metrics()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			v := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			if v != 0 {
				values[name] = v
			}
		}
	}
	want := map[string]float64{"rota_submitted_total": 3, "rota_claimed_total": 2, "rota_finished_total succeeded": 1,
		"rota_exchange_duration_seconds": 2, "rota_tasks default ready": 1, "rota_tasks default running": 1, "rota_tasks default succeeded": 1,
		"rota_node_slots one": 4, "rota_node_running one": 1, "rota_node_load1 one": 0.5, "rota_node_cpus one": 2, "rota_node_memory_used_bytes one": 3,
		"rota_node_memory_total_bytes one": 4, "rota_node_disk_free_bytes one": 5, "rota_node_disk_total_bytes one": 6}
	if !maps.Equal(values, want) {
		t.Errorf("got %v\nwant %v", values, want)
	}
}
