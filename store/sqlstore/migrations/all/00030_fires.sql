-- What becomes of fires, and what is wrong with schedules.

-- +goose Up
ALTER TABLE schedule ADD COLUMN open_since BIGINT NOT NULL DEFAULT 0;  -- no fire before this one has a job that has not ended
ALTER TABLE schedule ADD COLUMN last_due BIGINT NOT NULL DEFAULT 0;    -- of the latest fire; 0: there was none
ALTER TABLE schedule ADD COLUMN result TEXT NOT NULL DEFAULT '';       -- of the latest fire whose jobs have ended
ALTER TABLE schedule ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;    -- fires in a row that failed
UPDATE schedule SET last_due = coalesce((SELECT max(due) FROM fire WHERE fire.schedule = schedule.name), 0);
CREATE INDEX schedule_due ON schedule (next, name) WHERE paused = 0 AND next > 0;

ALTER TABLE fire ADD COLUMN jobs BIGINT NOT NULL DEFAULT 1;            -- whose ids follow that of the first
ALTER TABLE fire ADD COLUMN result TEXT NOT NULL DEFAULT '';           -- '' until its jobs have ended, and somebody looked
ALTER TABLE fire ADD COLUMN checked BIGINT NOT NULL DEFAULT 0;         -- when somebody looked last
CREATE INDEX fire_open ON fire (checked) WHERE result = '';
CREATE INDEX fire_due ON fire (due);

CREATE TABLE schedule_alarm (
  schedule TEXT NOT NULL,
  kind     TEXT NOT NULL,
  since    BIGINT NOT NULL,
  until    BIGINT NOT NULL,                                            -- 0: it still holds
  due      BIGINT NOT NULL,                                            -- of the fire
  text     TEXT NOT NULL,
  PRIMARY KEY (schedule, kind, since)
);
CREATE INDEX schedule_alarm_open ON schedule_alarm (schedule) WHERE until = 0;

INSERT INTO counter (name, value) VALUES ('schedule', 0), ('pace', 0); -- names given; us before which no paced fire starts
