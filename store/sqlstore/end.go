package sqlstore

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// end is the end of an attempt, decided.
type end struct {
	row
	rota.Finish
	to rota.State
}

// Outcomes are stored by their place here: a new one comes last.
var outcomes = []rota.Outcome{"", rota.OutcomeSucceeded, rota.OutcomeFailed, rota.OutcomeTimedOut, rota.OutcomeRefused,
	rota.OutcomeEnded, rota.OutcomeReturned, rota.OutcomeLost, rota.OutcomeOutOfMemory}

func outcomeNumber(o rota.Outcome) int { return slices.Index(outcomes, o) }

func streamNumber(s rota.Stream) int {
	if s == rota.Stderr {
		return 2
	}
	return 1
}

// crashed is the end of an attempt whose keeper or machine went away while it ran.
func crashed(x row) end {
	x.crashes++
	return decide(x, rota.Finish{Outcome: rota.OutcomeLost, Reason: "its node went away while it ran"})
}

// decide says where a task goes whose attempt ended.
func decide(x row, f rota.Finish) end {
	if len(f.Error) > rota.MaxError {
		f.Error = strings.ToValidUTF8(f.Error[:rota.MaxError], "")
	}
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
	e.to = rota.Fate(f.Outcome, x.ending != 0, rota.Tally{Attempt: x.attempt, Limit: x.limit + x.more, Lost: e.lost, MaxLost: x.maxLost, Crashes: x.crashes,
		Returns: e.returns, OnLost: onLost})
	if rota.RaisesLimit(f.Outcome) {
		e.limit++
	}
	if e.to == rota.Cancelled {
		e.Outcome = rota.OutcomeEnded // whatever the exit was: a cancelled task has no success in its history (I2, P9)
	}
	switch {
	case e.to == rota.Held && f.Outcome == rota.OutcomeLost:
		e.Reason = fmt.Sprintf("set aside: its node went away %d times while it ran, the last time when it ran alone", x.crashes)
	case e.to == rota.Held:
		e.Reason = fmt.Sprintf("given back %d times without having started; the last time: %s", e.returns, f.Reason)
	}
	return e
}

// finish ends attempts: each is a compare-and-set on task, attempt and state (P3, P7, P9), of which the rows were read,
// and are held, in this transaction. What goes on is recorded in the history of attempts; what succeeded at once costs
// one update. Ends that differ in nothing but their figures are written by one statement.
func (t *tx) finish(ends []end) error {
	type alike struct {
		to                   rota.State
		gate, runAt          int64
		limit, lost, crashes int
		returns, outcome     int
		exit, signal         int
		exited               bool
		reason, error        string
	}
	groups, order := map[alike]*pairs{}, []alike{}
	for i := range ends {
		e := &ends[i]
		t.account(&e.row, e.to)
		k := alike{to: e.to, gate: e.gateIn(e.to), limit: e.limit, lost: e.lost, crashes: e.crashes, returns: e.returns, outcome: outcomeNumber(e.Outcome),
			signal: e.Signal, exited: e.Exit != nil, reason: e.Reason, error: e.Error}
		if k.exited {
			k.exit = *e.Exit
		}
		if e.to == rota.Scheduled {
			k.runAt = t.now + e.RetryIn.Micros()
		}
		if groups[k] == nil {
			groups[k] = &pairs{}
			order = append(order, k)
		}
		groups[k].add(int64(e.id), took(&e.Finish))
	}
	for _, k := range order {
		var exit any
		if k.exited {
			exit = k.exit
		}
		err := t.expect(groups[k].n, `UPDATE task SET state = ?2, gate = ?3, run_at = ?4, attempt_limit = ?5, lost = ?6, returns = ?7, ended = ?8,
			outcome = ?9, exit = ?10, signal = ?11, reason = ?12, took = f.value, ending = NULL, crashes = ?13, error = ?14
			FROM json_each(?1) f WHERE task.id = CAST(f.key AS BIGINT) AND +task.state = 5`, groups[k].String(), int(k.to), k.gate,
			nullInt(k.runAt), k.limit, nullInt(k.lost), nullInt(k.returns), t.now, k.outcome, exit, nullInt(k.signal), nullText(k.reason), nullInt(k.crashes), nullText(k.error))
		if err != nil {
			return err
		}
	}
	var strays []row
	for i := range ends {
		strays = stray(strays, &ends[i].row, ends[i].to)
	}
	if err := t.replace(strays); err != nil {
		return err
	}
	return t.keepEnds(ends)
}

// took are the figures of an attempt as they are stored, in one column: they are read together or not at all.
func took(f *rota.Finish) string {
	ran := int64(-1)
	if f.StartedAgo > 0 {
		ran = max(0, (f.StartedAgo - f.EndedAgo).Micros())
	}
	b := make([]byte, 0, 96)
	b = append(b, '[')
	for i, n := range [...]int64{f.EndedAgo.Micros(), ran, f.CPUUser.Micros(), f.CPUSystem.Micros(), f.MaxRSS,
		orUnknown(f.Stdout), orUnknown(f.Stderr), f.Memory, f.IORead, f.IOWrite} {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(append(b, ']'))
}

func orUnknown(n *int64) int64 {
	if n == nil {
		return -1
	}
	return *n
}

// keepEnds keeps what came with the ends: output, and the record of attempts that others will follow.
func (t *tx) keepEnds(ends []end) error {
	for i := range ends {
		e := &ends[i]
		if err := t.keepPieces(rota.Try{Task: e.id, Attempt: e.attempt}, e.Output); err != nil {
			return err
		}
		if e.Outcome == rota.OutcomeLost {
			if _, err := t.exec(`DELETE FROM output WHERE task = ?1 AND attempt = ?2`, int64(e.id), e.attempt); err != nil {
				return err
			}
			if err := t.dropArtifacts(rota.Try{Task: e.id, Attempt: e.attempt}); err != nil {
				return err
			}
		}
	}
	if err := t.keepFailures(ends); err != nil {
		return err
	}
	return t.recordAttempts(ends)
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
	_, err := t.exec(`INSERT INTO attempt (task, attempt, outcome, session, claimed, ended, took, exit, signal, reason, error)
		SELECT id, attempt, outcome, session, claimed, ended, took, exit, signal, reason, error FROM task WHERE id IN (SELECT value FROM json_each(?1)) AND attempt > 0 AND outcome IS NOT NULL
		ON CONFLICT (task, attempt) DO NOTHING`, list(tasks))
	return err
}
