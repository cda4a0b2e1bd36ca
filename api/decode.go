package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rotaqueue/rota"
)

// maxDepth is how deep the JSON of a request may be nested; our own types need less than half of it.
const maxDepth = 32

// jsonFormat reads and writes the bodies of all routes.
func jsonFormat(r huma.Registry) huma.Format {
	return huma.Format{
		Marshal:   huma.DefaultJSONFormat.Marshal,
		Unmarshal: func(data []byte, v any) error { return decode(r, data, v) },
	}
}

// decode reads the JSON of a request strictly: text that is not UTF-8, unknown fields, wrong types, deep nesting
// and anything behind the value are refused, with the field's name.
func decode(r huma.Registry, data []byte, v any) error {
	if !utf8.Valid(data) {
		return rota.Invalid("body: not UTF-8 text")
	}
	if tooDeep(data) {
		return rota.Invalid("body: nested deeper than %d", maxDepth)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return explain(r, data, v, err)
	}
	if rest := bytes.TrimLeft(data[dec.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return rota.Invalid("body: something follows the JSON value at byte %d", len(data)-len(rest))
	}
	return nil
}

// tooDeep looks at brackets only; whether the text is JSON is for the decoder to say.
func tooDeep(data []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// explain says what is wrong with a body that could not be decoded, and where. The schema finds the place; only a
// request that is refused pays for that.
func explain(r huma.Registry, data []byte, v any, err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return rota.Invalid("body: not JSON: %s at byte %d", syntax.Error(), syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return rota.Invalid("body: not JSON: it ends too early")
	}
	places := misfits(r, data, v)
	var known *rota.Error
	switch {
	case errors.As(err, &known) && len(places) == 1: // a text that does not say a duration, a state, a task
		where, _, _ := strings.Cut(places[0], ": ")
		return rota.Invalid("%s: %s", where, known.Text)
	case known != nil:
		return known
	case len(places) > 0:
		return rota.Invalid("%s", strings.Join(places, "; "))
	}
	return rota.Invalid("body: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// misfits are the places where a body does not fit its schema, "spec.priority: expected integer".
func misfits(r huma.Registry, data []byte, v any) []string {
	var parsed any
	if json.Unmarshal(data, &parsed) != nil {
		return nil
	}
	var res huma.ValidateResult
	path := huma.NewPathBuffer(make([]byte, 0, 128), 0)
	huma.Validate(r, r.Schema(reflect.TypeOf(v), true, ""), path, huma.ModeWriteToServer, parsed, &res)
	var wrong []error
	for _, err := range res.Errors {
		// What is missing has a default, or the Service says so better.
		if d, ok := err.(*huma.ErrorDetail); ok && !strings.Contains(d.Message, "required property") {
			wrong = append(wrong, d)
		}
	}
	return sentences(wrong)
}
