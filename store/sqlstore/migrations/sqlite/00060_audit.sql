-- A line of the audit cannot be put in the place of another: REPLACE deletes without asking the trigger of deletes.

-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER deed_added BEFORE INSERT ON deed WHEN EXISTS (SELECT 1 FROM deed WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
-- +goose StatementEnd
