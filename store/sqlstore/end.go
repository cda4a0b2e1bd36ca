package sqlstore

import (
	"fmt"
	"slices"

	"github.com/rotaqueue/rota"
)

// end is the end of an attempt, decided.
type end struct {
	row
	rota.Finish
	to rota.State
}

// Outcomes are stored by their place here.
var outcomes = []rota.Outcome{"", rota.OutcomeSucceeded, rota.OutcomeFailed, rota.OutcomeTimedOut, rota.OutcomeRefused,
	rota.OutcomeEnded, rota.OutcomeReturned, rota.OutcomeLost}

func outcomeNumber(o rota.Outcome) int { return slices.Index(outcomes, o) }

func streamNumber(s rota.Stream) int {
	if s == rota.Stderr {
		return 2
	}
	return 1
}

// decide says where a task goes whose attempt ended.
func decide(x row, f rota.Finish) end {
	e := end{row: x, Finish: f}
	switch f.Outcome {
	case rota.OutcomeLost:
		e.lost++
	case rota.OutcomeReturned:
		e.returns++
	}
	onLost := rota.LostRetry
	if x.lostFails {
		onLost = rota.LostFail
	}
	e.to = rota.Fate(f.Outcome, x.ending != 0, x.attempt, x.limit, e.lost, x.maxLost, e.returns, onLost)
	if rota.RaisesLimit(f.Outcome) {
		e.limit++
	}
	if e.to == rota.Held {
		e.Reason = fmt.Sprintf("given back %d times without having started; the last time: %s", e.returns, f.Reason)
	}
	return e
}

// finish ends attempts: each is a compare-and-set on task, attempt and state (P3, P7, P9). What goes on is recorded
// in the history of attempts; what succeeded at once costs one update.
func (t *tx) finish(ends []end) error {
	for i := range ends {
		t.account(&ends[i].row, ends[i].to)
	}
	err := t.each(`UPDATE task SET state = ?2, gate = ?3, run_at = ?4, attempt_limit = ?5, lost = ?6, returns = ?7, started = ?8,
		ended = ?9, outcome = ?10, exit = ?11, signal = ?12, reason = ?13, cpu_user = ?14, cpu_system = ?15, max_rss = ?16,
		ending = NULL WHERE id = ?1 AND attempt = ?17 AND state = 5`, len(ends), func(i int) []any {
		e := &ends[i]
		var runAt, started int64
		if e.to == rota.Scheduled {
			runAt = t.now + e.RetryIn.Micros()
		}
		if e.StartedAgo > 0 {
			started = t.now - e.StartedAgo.Micros()
		}
		return []any{int64(e.id), int(e.to), e.gateIn(e.to), nullInt(runAt), e.limit, nullInt(e.lost), nullInt(e.returns),
			nullInt(started), t.now - e.EndedAgo.Micros(), outcomeNumber(e.Outcome), exitOf(e.Exit), nullInt(e.Signal),
			nullText(e.Reason), nullInt(e.CPUUser.Micros()), nullInt(e.CPUSystem.Micros()), nullInt(e.MaxRSS), e.attempt}
	})
	if err != nil {
		return err
	}
	for i := range ends {
		e := &ends[i]
		if err := t.keepPieces(rota.Try{Task: e.id, Attempt: e.attempt}, e.Output); err != nil {
			return err
		}
		if e.Outcome == rota.OutcomeLost {
			if _, err := t.exec(`DELETE FROM output WHERE task = ?1 AND attempt = ?2`, int64(e.id), e.attempt); err != nil {
				return err
			}
		}
	}
	return t.recordAttempts(ends)
}

func exitOf(code *int) any {
	if code == nil {
		return nil
	}
	return *code
}

// recordAttempts writes the attempts of tasks that will be tried again into the history.
func (t *tx) recordAttempts(ends []end) error {
	var again []rota.TaskID
	for i := range ends {
		if !ends[i].to.Ended() {
			again = append(again, ends[i].id)
		}
	}
	if len(again) == 0 {
		return nil
	}
	return t.record(again)
}

// record copies tasks' latest attempts into the history, unless they stand there already.
func (t *tx) record(tasks []rota.TaskID) error {
	_, err := t.exec(`INSERT INTO attempt (task, attempt, outcome, session, claimed, started, ended, exit, signal, cpu_user, cpu_system,
		max_rss, reason) SELECT id, attempt, outcome, session, claimed, started, ended, exit, signal, cpu_user, cpu_system, max_rss, reason
		FROM task WHERE id IN (SELECT value FROM json_each(?1)) AND attempt > 0 AND outcome IS NOT NULL
		ON CONFLICT (task, attempt) DO NOTHING`, list(tasks))
	return err
}

// sweepRescue ends attempts whose session is lost, closed or missing (P3). It looks at what runs, not at sessions, so
// that no order of events leaves a task running for ever.
func (t *tx) sweepRescue() (rota.Swept, error) {
	rows, err := t.rows(`WHERE t.state = 5 AND NOT EXISTS (SELECT 1 FROM session s WHERE s.id = t.session AND s.state = 1)
		ORDER BY t.session, t.id LIMIT ?1`, stepRows)
	if err != nil || len(rows) == 0 {
		return rota.Swept{}, err
	}
	out := rota.Swept{Moved: len(rows), More: len(rows) == stepRows, Ready: true}
	ends := make([]end, len(rows))
	for i, x := range rows {
		ends[i] = decide(x, rota.Finish{Outcome: rota.OutcomeLost, Reason: "its node went away while it ran"})
		out.Jobs = append(out.Jobs, x.id.Job())
	}
	out.Jobs = slices.Compact(out.Jobs)
	return out, t.finish(ends)
}
