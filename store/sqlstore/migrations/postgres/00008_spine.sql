-- The schema of the embedded store's step 8, for PostgreSQL. Rows that change all the time leave room in their pages for
-- their next version, and are cleaned up after early.

-- +goose Up
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE counter (
  name  TEXT PRIMARY KEY,
  value BIGINT NOT NULL
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE queue (
  name       TEXT PRIMARY KEY,
  discipline TEXT NOT NULL,
  paused     SMALLINT NOT NULL DEFAULT 0,
  created    BIGINT NOT NULL,
  limits     TEXT
);

CREATE TABLE queue_stripe (
  queue  TEXT NOT NULL,
  state  SMALLINT NOT NULL,
  stripe SMALLINT NOT NULL,
  n      BIGINT NOT NULL,
  PRIMARY KEY (queue, state, stripe)
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE lane (
  id    BIGINT PRIMARY KEY,
  queue TEXT NOT NULL,
  home  TEXT NOT NULL DEFAULT ''
);

CREATE TABLE gate (
  id   BIGINT PRIMARY KEY,
  max  BIGINT NOT NULL,
  open BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0.02);

CREATE TABLE job (
  id            BIGINT PRIMARY KEY,
  name          TEXT NOT NULL,
  submitter     TEXT NOT NULL,
  submit_key    TEXT,
  parent        BIGINT NOT NULL DEFAULT 0,
  schedule      TEXT NOT NULL DEFAULT '',
  labels        TEXT,
  spec          TEXT NOT NULL,
  lane          BIGINT NOT NULL,
  rank          BIGINT NOT NULL,
  gate          BIGINT NOT NULL DEFAULT 0,
  run_at        BIGINT NOT NULL DEFAULT 0,
  held          SMALLINT NOT NULL DEFAULT 0,
  blockers      BIGINT NOT NULL DEFAULT 0,
  attempt_limit BIGINT NOT NULL,
  retry_first   BIGINT NOT NULL,
  retry_cap     BIGINT NOT NULL,
  max_lost      BIGINT NOT NULL,
  lost_fails    SMALLINT NOT NULL DEFAULT 0,
  many          SMALLINT NOT NULL DEFAULT 0,
  parts         BIGINT NOT NULL DEFAULT 0,
  sealed        SMALLINT NOT NULL DEFAULT 1,
  touched       BIGINT NOT NULL DEFAULT 0,
  input         BIGINT NOT NULL DEFAULT 0,
  tasks         BIGINT NOT NULL,
  made          BIGINT NOT NULL,
  tasks_left    BIGINT NOT NULL,
  failed        BIGINT NOT NULL DEFAULT 0,
  cancelled     BIGINT NOT NULL DEFAULT 0,
  submitted     BIGINT NOT NULL,
  ended         BIGINT NOT NULL DEFAULT 0,
  removing      SMALLINT NOT NULL DEFAULT 0,
  reason        TEXT
) WITH (fillfactor = 70, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX job_making   ON job (id)      WHERE made < tasks AND sealed = 1;
CREATE INDEX job_unsealed ON job (touched) WHERE sealed = 0;
CREATE INDEX job_ended    ON job (ended)   WHERE ended > 0;
CREATE INDEX job_removing ON job (id)      WHERE removing = 1;

CREATE TABLE task (
  id            BIGINT PRIMARY KEY,
  lane          BIGINT NOT NULL,
  state         SMALLINT NOT NULL CHECK (state BETWEEN 1 AND 8),
  gate          BIGINT NOT NULL,
  rank          BIGINT NOT NULL,
  attempt       BIGINT NOT NULL,
  attempt_limit BIGINT NOT NULL,
  run_at        BIGINT,
  session       BIGINT,
  claim_seq     BIGINT,
  ending        SMALLINT,
  claimed       BIGINT,
  ended         BIGINT,
  took          TEXT,
  outcome       SMALLINT,
  exit          BIGINT,
  signal        BIGINT,
  lost          BIGINT,
  returns       BIGINT,
  reason        TEXT,
  crashes       SMALLINT,
  tolerance     BIGINT
) WITH (autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
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
);

CREATE TABLE line (
  task BIGINT PRIMARY KEY,
  text TEXT NOT NULL
);

CREATE TABLE input (
  job   BIGINT NOT NULL,
  start BIGINT NOT NULL,
  data  BYTEA NOT NULL
);
CREATE UNIQUE INDEX input_job ON input (job, start);

CREATE TABLE output (
  task    BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  stream  SMALLINT NOT NULL,
  start   BIGINT NOT NULL,
  total   BIGINT NOT NULL,
  data    BYTEA NOT NULL
);
CREATE UNIQUE INDEX output_piece ON output (task, attempt, stream, start);

CREATE TABLE submission_key (
  submitter TEXT NOT NULL,
  key       TEXT NOT NULL,
  hash      TEXT NOT NULL,
  job       BIGINT NOT NULL,
  at        BIGINT NOT NULL,
  orphan    SMALLINT NOT NULL DEFAULT 0,
  PRIMARY KEY (submitter, key)
);
CREATE INDEX submission_key_orphan ON submission_key (at) WHERE orphan = 1;

CREATE TABLE dependency (
  on_job    BIGINT NOT NULL,
  job       BIGINT NOT NULL,
  condition TEXT NOT NULL,
  PRIMARY KEY (on_job, job, condition)
);

CREATE TABLE node (
  name    TEXT PRIMARY KEY,
  key     TEXT NOT NULL,
  doc     TEXT NOT NULL,
  state   TEXT NOT NULL,
  started BIGINT NOT NULL,
  seen    BIGINT NOT NULL,
  drain   SMALLINT NOT NULL DEFAULT 0,
  lost    BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE session (
  id      BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  name    TEXT NOT NULL UNIQUE,
  node    TEXT NOT NULL,
  state   SMALLINT NOT NULL,
  beat    BIGINT NOT NULL DEFAULT 0,
  seq     BIGINT NOT NULL DEFAULT 0,
  refused TEXT,
  opened  BIGINT NOT NULL,
  seen    BIGINT NOT NULL,
  key     TEXT NOT NULL DEFAULT '',
  ttl     BIGINT NOT NULL DEFAULT 0,
  tolerance BIGINT NOT NULL DEFAULT 9223372036854775807,
  waited  BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX session_watched ON session (id)  WHERE state <> 2 AND state <> 3;
CREATE INDEX session_key     ON session (key) WHERE state <> 2 AND state <> 3;

CREATE TABLE operation (
  id      BIGINT PRIMARY KEY,
  act     TEXT NOT NULL,
  filter  TEXT NOT NULL,
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
  doc     TEXT NOT NULL,
  version BIGINT NOT NULL,
  paused  SMALLINT NOT NULL,
  next    BIGINT NOT NULL
);

CREATE TABLE fire (
  schedule TEXT NOT NULL,
  due      BIGINT NOT NULL,
  job      BIGINT NOT NULL,
  skipped  TEXT NOT NULL,
  PRIMARY KEY (schedule, due)
);

CREATE TABLE token (
  id      BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  name    TEXT NOT NULL,
  role    TEXT NOT NULL,
  hash    TEXT NOT NULL UNIQUE,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL
);

CREATE TABLE sample (
  task    BIGINT NOT NULL,
  attempt BIGINT NOT NULL,
  step    BIGINT NOT NULL,
  points  BYTEA NOT NULL
);
CREATE UNIQUE INDEX sample_attempt ON sample (task, attempt);

CREATE TABLE node_sample (
  node         TEXT NOT NULL,
  at           BIGINT NOT NULL,
  load1        DOUBLE PRECISION NOT NULL,
  cpus         BIGINT NOT NULL,
  memory_used  BIGINT NOT NULL,
  memory_total BIGINT NOT NULL,
  disk_free    BIGINT NOT NULL,
  disk_total   BIGINT NOT NULL,
  slots        BIGINT NOT NULL,
  running      BIGINT NOT NULL,
  PRIMARY KEY (node, at)
);

-- The latest marked transaction of each connection that writes.
CREATE TABLE outcome (
  writer TEXT PRIMARY KEY,
  nth    BIGINT NOT NULL,
  at     BIGINT NOT NULL
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

-- +goose StatementBegin
-- As SQLite has it: * and ? and [sets].
CREATE FUNCTION glob(pattern TEXT, name TEXT) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT name ~ ('^' || replace(replace(regexp_replace(pattern, '([.+(){}|$\\]|(?<!\[)\^)', '\\\1', 'g'), '*', '.*'), '?', '.') || '$')
$$;
-- +goose StatementEnd

INSERT INTO counter (name, value) VALUES ('job', 0), ('gate', 0), ('operation', 0);
INSERT INTO meta (key, value) VALUES ('min_schema', '1');
INSERT INTO queue (name, discipline, paused, created) VALUES ('default', 'priority', 0, 0);
