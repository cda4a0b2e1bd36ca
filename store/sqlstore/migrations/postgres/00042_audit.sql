-- The audit is only added to.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION deed_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit is only added to'; END $$;
-- +goose StatementEnd
CREATE TRIGGER deed_kept BEFORE UPDATE OR DELETE ON deed FOR EACH ROW EXECUTE FUNCTION deed_stays();
CREATE TRIGGER deed_stays BEFORE TRUNCATE ON deed FOR EACH STATEMENT EXECUTE FUNCTION deed_stays();
