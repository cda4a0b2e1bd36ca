package sqlstore

import (
	"context"
	"database/sql"
)

// Each check lists what is kept twice and does not agree, in sentences.
var checks = []string{
	`SELECT 'queue ' || k.queue || ' state ' || k.state || ': counted ' || coalesce(c.n, 0) || ', there are ' || coalesce(r.n, 0)
	 FROM (SELECT queue, state FROM queue_stripe UNION SELECT l.queue, t.state FROM task t JOIN lane l ON l.id = t.lane) k
	 LEFT JOIN (SELECT queue, state, sum(n) AS n FROM queue_stripe GROUP BY queue, state) c ON c.queue = k.queue AND c.state = k.state
	 LEFT JOIN (SELECT l.queue, t.state, count(*) AS n FROM task t JOIN lane l ON l.id = t.lane GROUP BY l.queue, t.state) r
	   ON r.queue = k.queue AND r.state = k.state
	 WHERE coalesce(c.n, 0) <> coalesce(r.n, 0)`,
	`SELECT 'job ' || j.id || ': made ' || j.made || ' left ' || j.tasks_left || ' failed ' || j.failed || ' cancelled ' || j.cancelled
	   || ', there are ' || r.made || ' ' || (j.tasks - j.made + r.unended) || ' ' || r.failed || ' ' || r.cancelled
	 FROM job j JOIN (SELECT j.id, count(t.id) AS made, count(CASE WHEN t.state < 6 THEN 1 END) AS unended, count(CASE WHEN t.state = 7 THEN 1 END) AS failed,
	   count(CASE WHEN t.state = 8 THEN 1 END) AS cancelled FROM job j LEFT JOIN task t ON t.id BETWEEN j.id << 24 AND (j.id << 24 | 16777215)
	   GROUP BY j.id) r ON r.id = j.id
	 WHERE j.removing = 0 AND (j.made <> r.made OR j.tasks_left <> j.tasks - j.made + r.unended OR j.failed <> r.failed
	   OR j.cancelled <> r.cancelled)`,
	`SELECT 'job ' || id || ': ended ' || ended || ' with ' || tasks_left || ' tasks left' FROM job
	 WHERE removing = 0 AND (ended > 0) <> (tasks_left = 0 AND sealed = 1)`,
	// A task holds a place of each gate that it has passed: of its array, of its key, of its flow, in this order.
	`SELECT 'gate ' || g.id || ': ' || g.open || ' places taken of ' || g.max || ', there are ' || coalesce(r.n, 0)
	 FROM gate g LEFT JOIN (SELECT p.id, count(*) AS n FROM (
	   SELECT j.gate AS id FROM task t JOIN job j ON j.id = t.id >> 24 WHERE j.gate <> 0 AND (t.state = 5 OR t.state = 4 AND t.gate <> j.gate)
	   UNION ALL SELECT j.key_gate FROM task t JOIN job j ON j.id = t.id >> 24 WHERE j.key_gate <> 0
	     AND (t.state = 5 OR t.state = 4 AND (t.gate = 0 OR t.gate <> j.gate AND t.gate <> j.key_gate))
	   UNION ALL SELECT t.flow_gate FROM task t WHERE t.flow_gate IS NOT NULL AND (t.state = 5 OR t.state = 4 AND t.gate = 0)
	 ) p GROUP BY p.id) r ON r.id = g.id
	 WHERE g.open <> coalesce(r.n, 0) OR g.open > g.max AND EXISTS (SELECT 1 FROM job j WHERE j.gate = g.id)`,
	`SELECT 'gate ' || g.id || ': has room while tasks wait behind it' FROM gate g
	 WHERE g.open < g.max AND EXISTS (SELECT 1 FROM task t WHERE t.state = 4 AND t.gate <> 0 AND t.gate = g.id)`,
	`SELECT 'task ' || id || ': ready without a rank' FROM task WHERE state = 4 AND rank = 9223372036854775807`,
	`SELECT 'flow ' || f.id || ': has used ' || f.tag || ', and a task of it waits with rank ' || max(t.rank) FROM flow f
	 JOIN queue q ON q.name = f.queue AND q.discipline = 'sfq' JOIN task t ON t.flow = f.id AND t.state = 4 AND t.attempt = 0 GROUP BY f.id, f.tag HAVING max(t.rank) >= f.tag`,
	`SELECT 'job ' || j.id || ': waits for ' || j.blockers || ' jobs, there are ' || count(d.on_job) FROM job j
	 LEFT JOIN dependency d ON d.job = j.id WHERE j.removing = 0 GROUP BY j.id, j.blockers HAVING j.blockers <> count(d.on_job)`,
	`SELECT 'task ' || t.id || ': blocked, but its job waits for nothing' FROM task t JOIN job j ON j.id = t.id >> 24
	 WHERE t.state = 1 AND j.sealed = 1 AND ` + waitsForNothing + `
	   AND NOT EXISTS (SELECT 1 FROM operation WHERE ended = 0 AND act IN ('unblock', 'starve'))`,
}

// Verify compares what is kept twice with a real count.
func (s *Store) Verify(ctx context.Context) (differences []string, err error) {
	for _, q := range checks {
		err := s.query(ctx, func(r *sql.Rows) error {
			var text string
			err := r.Scan(&text)
			differences = append(differences, text)
			return err
		}, q)
		if err != nil {
			return nil, err
		}
	}
	return differences, nil
}
