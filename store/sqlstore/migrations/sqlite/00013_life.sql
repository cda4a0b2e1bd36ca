-- Nothing: in PostgreSQL this step lets a lost answer be asked for again after a failover. Here no answer is lost.

-- +goose Up
SELECT 1;
