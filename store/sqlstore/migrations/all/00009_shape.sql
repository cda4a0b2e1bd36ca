-- What changes when lanes or settings of queues do: who remembers them asks for this one number.

-- +goose Up
INSERT INTO counter (name, value) VALUES ('shape', 1);
