-- The audit is only added to.

-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER deed_kept BEFORE UPDATE ON deed BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deed_stays BEFORE DELETE ON deed BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
-- +goose StatementEnd
