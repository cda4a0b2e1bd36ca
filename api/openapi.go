package api

import (
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/rotaqueue/rota"
)

const bearerScheme = "token"

// newHuma is an empty description whose routes will be served by the mux.
func newHuma(mux humago.Mux) huma.API {
	humaProblems()
	registry := newRegistry()
	format := jsonFormat(registry)
	return humago.New(mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Rota", Version: rota.Version, Description: "Job queue, batch system and cron. " +
				"Errors are problems (RFC 9457): decide by their kind, show their detail and fix."},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{bearerScheme: {Type: "http", Scheme: "bearer",
					Description: "A token (rota token create). On the node's own socket none is needed."}},
			},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
	})
}

// description is the OpenAPI text in one notation, made when it is first asked for.
type description func() ([]byte, error)

func newDescriptions(api huma.API) (asJSON, asYAML description) {
	return sync.OnceValues(api.OpenAPI().MarshalJSON), sync.OnceValues(api.OpenAPI().YAML)
}

func (d description) serve(w http.ResponseWriter) {
	b, err := d()
	if err != nil {
		refuse(w, err)
		return
	}
	w.Write(b)
}

func (s *Server) openapiJSON(w http.ResponseWriter, _ *http.Request) { s.asJSON.serve(w) }
func (s *Server) openapiYAML(w http.ResponseWriter, _ *http.Request) { s.asYAML.serve(w) }
