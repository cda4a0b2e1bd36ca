-- The spine: jobs, tasks, sessions, and what surrounds them. Times are microseconds since 1970 by the store's
-- clock, 0 for none; states are rota.State numbers; text in JSON where a column says so.

-- +goose Up
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE counter (
  name  TEXT PRIMARY KEY,
  value BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE queue (
  name       TEXT PRIMARY KEY,
  discipline TEXT NOT NULL,
  paused     SMALLINT NOT NULL DEFAULT 0,
  created    BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE queue_count (
  queue TEXT NOT NULL,
  state SMALLINT NOT NULL,
  n     BIGINT NOT NULL,
  PRIMARY KEY (queue, state)
) WITHOUT ROWID;

-- A lane holds tasks of one queue that the same nodes can run. home: only that transient node's session may claim.
CREATE TABLE lane (
  id    INTEGER PRIMARY KEY,
  queue TEXT NOT NULL,
  home  TEXT NOT NULL DEFAULT ''
);

-- A gate is a limit that ready tasks wait behind; open counts the tasks of it that are running or claimable.
CREATE TABLE gate (
  id   INTEGER PRIMARY KEY,
  max  BIGINT NOT NULL,
  open BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE job (
  id            INTEGER PRIMARY KEY,
  name          TEXT NOT NULL,
  submitter     TEXT NOT NULL,
  submit_key    TEXT,
  parent        BIGINT NOT NULL DEFAULT 0,
  schedule      TEXT NOT NULL DEFAULT '',
  labels        TEXT,                        -- JSON object
  spec          TEXT NOT NULL,               -- JSON, as received
  lane          BIGINT NOT NULL,
  rank          BIGINT NOT NULL,
  gate          BIGINT NOT NULL DEFAULT 0,
  run_at        BIGINT NOT NULL DEFAULT 0,
  held          SMALLINT NOT NULL DEFAULT 0, -- its tasks are made held
  blockers      BIGINT NOT NULL DEFAULT 0,   -- jobs it still waits for
  attempt_limit BIGINT NOT NULL,
  retry_first   BIGINT NOT NULL,
  retry_cap     BIGINT NOT NULL,
  max_lost      BIGINT NOT NULL,
  lost_fails    SMALLINT NOT NULL DEFAULT 0,
  many          SMALLINT NOT NULL DEFAULT 0, -- its tasks are elements
  parts         BIGINT NOT NULL DEFAULT 0,   -- uploaded so far
  sealed        SMALLINT NOT NULL DEFAULT 1,
  touched       BIGINT NOT NULL DEFAULT 0,   -- last part, while not sealed
  input         BIGINT NOT NULL DEFAULT 0,   -- bytes of uploaded standard input
  tasks         BIGINT NOT NULL,
  made          BIGINT NOT NULL,
  tasks_left    BIGINT NOT NULL,
  failed        BIGINT NOT NULL DEFAULT 0,
  cancelled     BIGINT NOT NULL DEFAULT 0,
  submitted     BIGINT NOT NULL,
  ended         BIGINT NOT NULL DEFAULT 0,
  removing      SMALLINT NOT NULL DEFAULT 0, -- being removed in steps: no longer shown
  reason        TEXT
);
CREATE INDEX job_making   ON job (id)    WHERE made < tasks AND sealed = 1;
CREATE INDEX job_unsealed ON job (touched) WHERE sealed = 0;
CREATE INDEX job_ended    ON job (ended) WHERE ended > 0;
CREATE INDEX job_removing ON job (id)    WHERE removing = 1;

-- The hot row. Columns that a task does not need yet are NULL, which takes no room.
CREATE TABLE task (
  id            INTEGER PRIMARY KEY,
  lane          BIGINT NOT NULL,
  state         SMALLINT NOT NULL CHECK (state BETWEEN 1 AND 8),
  gate          BIGINT NOT NULL,             -- ready behind this gate; 0: claimable when ready
  rank          BIGINT NOT NULL,
  attempt       BIGINT NOT NULL,
  attempt_limit BIGINT NOT NULL,
  run_at        BIGINT,
  session       BIGINT,
  claim_seq     BIGINT,
  ending        SMALLINT,                    -- 1 cancel, 2 kill
  claimed       BIGINT,
  ended         BIGINT,                      -- when its end was recorded
  took          TEXT,                        -- JSON: [us from end to record, us it ran or -1, user us, system us, bytes of memory,
                                             -- bytes to stdout, to stderr: each -1 if not known, peak of memory
                                             -- of all processes, bytes read, bytes written]; what a version did not
                                             -- know of yet is missing at the end
  outcome       SMALLINT,
  exit          BIGINT,
  signal        BIGINT,
  lost          BIGINT,
  returns       BIGINT,
  reason        TEXT
);
-- Whatever writes a task's state asks every condition here, of what was and of what comes: they are the cheapest that
-- say it (IN with a list would cost as much as the rest of an update).
CREATE INDEX task_ready   ON task (lane, rank, id) WHERE state = 4 AND gate = 0;
CREATE INDEX task_gated   ON task (gate, rank, id) WHERE state = 4 AND gate <> 0;
CREATE INDEX task_running ON task (session, id)    WHERE state = 5;
CREATE INDEX task_due     ON task (run_at, id)     WHERE state = 2;
CREATE INDEX task_aside   ON task (id)             WHERE state < 4 OR state = 7;

CREATE TABLE attempt (
  task       BIGINT NOT NULL,
  attempt    BIGINT NOT NULL,
  outcome    SMALLINT NOT NULL,
  session    BIGINT,
  claimed    BIGINT,
  ended      BIGINT,
  took       TEXT,
  exit       BIGINT,
  signal     BIGINT,
  reason     TEXT,
  PRIMARY KEY (task, attempt)
) WITHOUT ROWID;

CREATE TABLE line (
  task INTEGER PRIMARY KEY,
  text TEXT NOT NULL
);

CREATE TABLE input (
  job   BIGINT NOT NULL,
  start BIGINT NOT NULL,
  data  BLOB NOT NULL
);
CREATE UNIQUE INDEX input_job ON input (job, start);

CREATE TABLE output (
  task    BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  stream  SMALLINT NOT NULL,                 -- 1 stdout, 2 stderr
  start   BIGINT NOT NULL,
  total   BIGINT NOT NULL,
  data    BLOB NOT NULL
);
CREATE UNIQUE INDEX output_piece ON output (task, attempt, stream, start);

CREATE TABLE submission_key (
  submitter TEXT NOT NULL,
  key       TEXT NOT NULL,
  hash      TEXT NOT NULL,
  job       BIGINT NOT NULL,
  at        BIGINT NOT NULL,
  orphan    SMALLINT NOT NULL DEFAULT 0,     -- its job was removed early; kept until 24 hours are over
  PRIMARY KEY (submitter, key)
) WITHOUT ROWID;
CREATE INDEX submission_key_orphan ON submission_key (at) WHERE orphan = 1;

-- Only what is still waited for: resolved dependencies are deleted.
CREATE TABLE dependency (
  on_job    BIGINT NOT NULL,
  job       BIGINT NOT NULL,
  condition TEXT NOT NULL,
  PRIMARY KEY (on_job, job, condition)
) WITHOUT ROWID;

CREATE TABLE node (
  name    TEXT PRIMARY KEY,
  key     TEXT NOT NULL,
  doc     TEXT NOT NULL,                     -- JSON: what the node says of itself
  state   TEXT NOT NULL,
  started BIGINT NOT NULL,
  seen    BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE session (
  id      INTEGER PRIMARY KEY,
  name    TEXT NOT NULL UNIQUE,
  node    TEXT NOT NULL,
  state   SMALLINT NOT NULL,                 -- 1 open, 2 lost, 3 closed
  beat    BIGINT NOT NULL DEFAULT 0,
  seq     BIGINT NOT NULL DEFAULT 0,
  refused TEXT,                              -- JSON: refusals of the exchange seq
  opened  BIGINT NOT NULL,
  seen    BIGINT NOT NULL
);

CREATE TABLE operation (
  id      INTEGER PRIMARY KEY,
  act     TEXT NOT NULL,
  filter  TEXT NOT NULL,                     -- JSON
  by      TEXT NOT NULL,
  reason  TEXT NOT NULL,
  at      BIGINT NOT NULL,
  upper   BIGINT NOT NULL,
  cursor  BIGINT NOT NULL,
  matched BIGINT NOT NULL,
  done    BIGINT NOT NULL,
  ended   SMALLINT NOT NULL
);
CREATE INDEX operation_open ON operation (id) WHERE ended = 0;

CREATE TABLE schedule (
  name    TEXT PRIMARY KEY,
  doc     TEXT NOT NULL,                     -- JSON: expression, zone, spec, overlap, by
  version BIGINT NOT NULL,
  paused  SMALLINT NOT NULL,
  next    BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE fire (
  schedule TEXT NOT NULL,
  due      BIGINT NOT NULL,
  job      BIGINT NOT NULL,
  skipped  TEXT NOT NULL,
  PRIMARY KEY (schedule, due)
) WITHOUT ROWID;

CREATE TABLE token (
  id      INTEGER PRIMARY KEY,
  name    TEXT NOT NULL,
  role    TEXT NOT NULL,
  hash    TEXT NOT NULL UNIQUE,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL
);

INSERT INTO counter (name, value) VALUES ('job', 0), ('gate', 0), ('operation', 0);
INSERT INTO meta (key, value) VALUES ('min_schema', '1');
INSERT INTO queue (name, discipline, paused, created) VALUES ('default', 'priority', 0, 0);
