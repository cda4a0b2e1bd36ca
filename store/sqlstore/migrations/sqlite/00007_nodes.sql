-- Many nodes: sessions that others lose by time, and what of them goes on.

-- +goose Up
ALTER TABLE session ADD COLUMN key TEXT NOT NULL DEFAULT '';      -- of its node's data folder
ALTER TABLE session ADD COLUMN ttl BIGINT NOT NULL DEFAULT 0;     -- us; 0: not known, and it is not lost by time
-- us, of tasks that were claimed in it and do not say it themselves; the greatest number: for ever
ALTER TABLE session ADD COLUMN tolerance BIGINT NOT NULL DEFAULT 9223372036854775807;
ALTER TABLE session ADD COLUMN waited BIGINT NOT NULL DEFAULT 0;  -- us; state 5: tasks that tolerate so much are rescued
UPDATE session SET key = coalesce((SELECT n.key FROM node n WHERE n.name = session.node), '');
-- The states of a session besides 1 open, 2 lost and 3 closed: 4 barred, 5 lost but for what tolerates more.
CREATE INDEX session_watched ON session (id) WHERE state <> 2 AND state <> 3;
CREATE INDEX session_key ON session (key) WHERE state <> 2 AND state <> 3;

ALTER TABLE task ADD COLUMN tolerance BIGINT;                     -- us, as its spec says; NULL: its session's
ALTER TABLE node ADD COLUMN lost BIGINT NOT NULL DEFAULT 0;       -- when it was found to be
