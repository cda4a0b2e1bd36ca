package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/rotaqueue/rota/api"
)

// described is the part of the OpenAPI text that the table of routes is made of.
type described struct {
	Paths map[string]map[string]struct {
		Summary  string           `json:"summary"`
		Role     string           `json:"description"`
		Security []map[string]any `json:"security"`
	} `json:"paths"`
}

// routes are all routes with the role each needs, read from the API's own description.
func routes() (string, error) {
	server := api.New(nil, api.Options{Log: slog.New(slog.DiscardHandler)})
	rec := httptest.NewRecorder()
	server.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "http://localhost"+api.Prefix+"/openapi.json", nil))
	var doc described
	if err := json.Unmarshal(rec.Body.Bytes(), &doc); err != nil {
		return "", fmt.Errorf("openapi.json answered %d: %w", rec.Code, err)
	}
	var rows [][]string
	for path, methods := range doc.Paths {
		for method, op := range methods {
			role := strings.TrimSuffix(strings.TrimPrefix(op.Role, "Needs the role "), ".")
			if len(op.Security) == 0 {
				role = "none"
			}
			rows = append(rows, []string{path, "`" + strings.ToUpper(method) + " " + path + "`", role, op.Summary})
		}
	}
	slices.SortFunc(rows, func(a, b []string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	for i := range rows {
		rows[i] = rows[i][1:]
	}
	return table([]string{"route", "least role", ""}, rows), nil
}
