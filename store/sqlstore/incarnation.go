package sqlstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"

	"github.com/rotaqueue/rota"
)

// renumber raises the number of tasks' last attempts where an earlier incarnation of the store gave it, so that the next
// is one of this; and their limits alike, so that the budget stays what it was (P7, P25).
func (t *tx) renumber(picks []claimed) error {
	if t.s.nth == 0 {
		return nil
	}
	raised := map[int][]rota.TaskID{}
	for i := range picks {
		c := &picks[i]
		if by := rota.NextAttempt(c.attempt, t.s.nth) - 1 - c.attempt; by > 0 {
			c.attempt, c.limit = c.attempt+by, c.limit+by
			raised[by] = append(raised[by], c.id)
		}
	}
	for _, by := range slices.Sorted(maps.Keys(raised)) {
		_, err := t.exec(`UPDATE task SET attempt = attempt + ?2, attempt_limit = attempt_limit + ?2
			WHERE id IN (SELECT value FROM json_each(?1))`, list(raised[by]), by)
		if err != nil {
			return err
		}
	}
	return nil
}

// incarnate makes a copy the next incarnation of its store (P25): another name and secret, no session, no node, and what
// ran is lost, however the attempts that go on elsewhere will end. It returns how many those are.
func (s *Store) incarnate(ctx context.Context) (lost int, err error) {
	if err := s.write(ctx, "new incarnation", (*tx).incarnate); err != nil {
		return 0, err
	}
	s.nth++
	for {
		n, err := written(ctx, s, "new incarnation", (*tx).loseRunning)
		if lost += n; err != nil || n < stepRows {
			return lost, err
		}
	}
}

func (t *tx) incarnate() error {
	id, secret := make([]byte, 8), make([]byte, 32)
	rand.Read(id)
	rand.Read(secret)
	for key, value := range map[string]string{"id": hex.EncodeToString(id), "secret": hex.EncodeToString(secret), "incarnation": strconv.Itoa(t.s.nth + 1)} {
		if err := t.putMeta(key, value); err != nil {
			return err
		}
	}
	for _, q := range []string{
		`DELETE FROM meta WHERE key IN ('` + sealKey + `', '` + backupKey + `')`,
		`UPDATE session SET state = 3 WHERE state <> 3`,
		`UPDATE node SET state = '` + string(rota.NodeDown) + `', lost = 0`,
		`UPDATE lane SET home = ''`,
		`UPDATE counter SET value = value + 1 WHERE name = 'shape'`,
	} {
		if _, err := t.exec(q); err != nil {
			return err
		}
	}
	return nil
}

// loseRunning ends what runs by the copy as lost; not as set aside in the end, for nothing went away under it.
func (t *tx) loseRunning() (int, error) {
	rows, err := t.rows(`WHERE t.state = 5 ORDER BY t.id LIMIT ?1`, stepRows)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	ends := make([]end, len(rows))
	for i, x := range rows {
		ends[i] = decide(x, rota.Finish{Outcome: rota.OutcomeLost, Reason: "its store was copied while it ran"})
	}
	return len(rows), t.finish(ends)
}
