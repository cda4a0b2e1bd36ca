package web

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/rotaqueue/rota"
)

// docs is the API's description, read when it is first asked for.
type docs struct {
	describe func() ([]byte, error)
	once     sync.Once
	page     apiPage
	err      error
}

// apiPage is the API's description for people.
type apiPage struct {
	Version string
	Groups  []apiGroup
}

type apiGroup struct {
	Name string
	Ops  []apiOperation
}

type apiOperation struct {
	Method, Path, Summary, ID string
	Params                    []apiField
	Body                      []apiField
	Answer                    []apiField
}

type apiField struct{ Name, In, Type, About string }

func (p *Pages) apiDocs(r *request) error {
	d := &p.docs
	if d.describe == nil {
		return rota.Errorf(rota.ErrUnsupported, "this server describes no API")
	}
	d.once.Do(func() {
		var text []byte
		if text, d.err = d.describe(); d.err == nil {
			d.page, d.err = readDescription(text)
		}
	})
	if d.err != nil {
		return d.err
	}
	r.show("apidocs", "API", d.page)
	return nil
}

type openAPI struct {
	Info  struct{ Version string }
	Paths map[string]map[string]struct {
		OperationID string
		Summary     string
		Parameters  []struct {
			Name, In, Description string
			Schema                apiSchema
		}
		RequestBody struct {
			Content map[string]struct{ Schema apiSchema }
		}
		Responses map[string]struct {
			Content map[string]struct{ Schema apiSchema }
		}
	}
	Components struct{ Schemas map[string]apiSchema }
}

type apiSchema struct {
	Ref         string `json:"$ref"`
	Type        any
	Format      string
	Description string
	Enum        []any
	Items       *apiSchema
	Properties  map[string]apiSchema
}

func readDescription(text []byte) (page apiPage, err error) {
	var doc openAPI
	if err := json.Unmarshal(text, &doc); err != nil {
		return page, err
	}
	page.Version = doc.Info.Version
	groups := map[string][]apiOperation{}
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for method, op := range doc.Paths[path] {
			x := apiOperation{Method: strings.ToUpper(method), Path: path, Summary: op.Summary, ID: op.OperationID}
			for _, q := range op.Parameters {
				x.Params = append(x.Params, apiField{q.Name, q.In, typeOf(q.Schema), cmp.Or(q.Description, q.Schema.Description)})
			}
			for _, c := range op.RequestBody.Content {
				x.Body = doc.fields(c.Schema)
			}
			for _, c := range op.Responses["200"].Content {
				x.Answer = doc.fields(c.Schema)
			}
			name := groupOf(path)
			groups[name] = append(groups[name], x)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		ops := groups[name]
		slices.SortStableFunc(ops, func(a, b apiOperation) int {
			return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
		})
		page.Groups = append(page.Groups, apiGroup{name, ops})
	}
	return page, nil
}

func groupOf(path string) string {
	path, in := strings.CutPrefix(path, "/api/v1/")
	if !in {
		return "server"
	}
	name, _, _ := strings.Cut(path, "/")
	name, _, _ = strings.Cut(name, ".")
	return name
}

// fields are those of an object, by name.
func (d *openAPI) fields(s apiSchema) (out []apiField) {
	if s.Ref != "" {
		s = d.Components.Schemas[refName(s.Ref)]
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		f := s.Properties[name]
		if name != "$schema" {
			out = append(out, apiField{Name: name, Type: typeOf(f), About: f.Description})
		}
	}
	return out
}

func refName(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

func typeOf(s apiSchema) string {
	switch {
	case s.Ref != "":
		return refName(s.Ref)
	case s.Items != nil:
		return "[" + typeOf(*s.Items) + "]"
	}
	switch t := s.Type.(type) {
	case string:
		return t
	case []any:
		if len(t) > 0 {
			if name, ok := t[0].(string); ok {
				if name == "array" && s.Items != nil {
					return "[" + typeOf(*s.Items) + "]"
				}
				return name
			}
		}
	}
	return ""
}
