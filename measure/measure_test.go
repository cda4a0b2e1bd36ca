package measure

import (
	"testing"

	"github.com/rotaqueue/rota/executor"
)

func BenchmarkSingles(b *testing.B) {
	h := &bench{Options: Options{Slots: 4}, dir: b.TempDir()}
	m, err := h.newMachine(b.Context(), func(string) (executor.Keeper, error) { return newInstant(nil), nil })
	if err != nil {
		b.Fatal(err)
	}
	defer m.close()
	b.ResetTimer()
	rate, err := m.runSingles(max(b.N, 64), 64)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(rate, "jobs/s")
}

func BenchmarkCommands(b *testing.B) {
	h := &bench{Options: Options{Slots: 4}, dir: b.TempDir()}
	m, err := h.newMachine(b.Context(), h.realKeeper(b.Context(), 4, false))
	if err != nil {
		b.Fatal(err)
	}
	defer m.close()
	b.ResetTimer()
	if _, err := m.runArray(b.N, trueProgram); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkBare(b *testing.B) {
	if _, err := bareLoop(b.Context(), b.N, 4); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkArray(b *testing.B) {
	h := &bench{Options: Options{Slots: 4}, dir: b.TempDir()}
	m, err := h.newMachine(b.Context(), func(string) (executor.Keeper, error) { return newInstant(nil), nil })
	if err != nil {
		b.Fatal(err)
	}
	defer m.close()
	b.ResetTimer()
	if _, err := m.runArray(b.N, "noop"); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkSocket(b *testing.B) {
	h := &bench{Options: Options{Slots: 4}, dir: b.TempDir()}
	rate, err := h.submitSingles(b.Context(), max(b.N, callers))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(rate[0].Value, "jobs/s")
}
