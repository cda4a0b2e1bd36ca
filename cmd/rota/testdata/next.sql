-- +goose Up
CREATE TABLE of_the_next_version (id INTEGER PRIMARY KEY);
