package api

import (
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rotaqueue/rota"
)

// texts describes the root's types that are written as text. The patterns say what a value begins with and is made
// of; the root's own parsers have the last word.
var texts = map[reflect.Type]huma.Schema{
	reflect.TypeFor[rota.TaskID](): {Pattern: `^([0-9]+(\.[0-9]+)?)?$`, Examples: []any{"42.17"},
		Description: "a job's number, with .INDEX for an element of an array"},
	reflect.TypeFor[rota.Duration](): {Pattern: `^[-+.0-9][-+._:0-9a-zA-Zµμ]*$`, Examples: []any{"1h30m"},
		Description: "a length of time: 90m, 1.5h, 2d12h, 45 (seconds) or 01:30:00"},
	reflect.TypeFor[rota.State]():   oneOf(rota.States...),
	reflect.TypeFor[rota.Act]():     oneOf(rota.Acts...),
	reflect.TypeFor[rota.Role]():    oneOf(append(slices.Clone(rota.Roles), rota.RoleNode)...),
	reflect.TypeFor[rota.When]():    oneOf(rota.Whens...),
	reflect.TypeFor[rota.OnLost]():  oneOf("", rota.LostRetry, rota.LostFail),
	reflect.TypeFor[rota.Overlap](): oneOf("", rota.OverlapSkip, rota.OverlapAllow),
	reflect.TypeFor[rota.Stream]():  oneOf(rota.Stdout, rota.Stderr),
	reflect.TypeFor[rota.Outcome](): oneOf("", rota.OutcomeSucceeded, rota.OutcomeFailed, rota.OutcomeTimedOut,
		rota.OutcomeRefused, rota.OutcomeEnded, rota.OutcomeReturned, rota.OutcomeLost,
		rota.OutcomeOutOfMemory),
	reflect.TypeFor[rota.Ending]():    oneOf("", rota.EndingCancel, rota.EndingKill),
	reflect.TypeFor[rota.NodeState](): oneOf(rota.NodeUp, rota.NodePaused, rota.NodeUnable, rota.NodeDraining, rota.NodeDown, rota.NodeLost),
}

func oneOf[T any](values ...T) huma.Schema {
	var enum []any
	for _, v := range values {
		if s, ok := any(v).(interface{ MarshalText() ([]byte, error) }); ok {
			b, _ := s.MarshalText() // the root's own values always have a text
			enum = append(enum, string(b))
		} else {
			enum = append(enum, reflect.ValueOf(v).String())
		}
	}
	return huma.Schema{Enum: enum}
}

// written stands for T where schemas are made: the root's types cannot describe themselves to huma.
type written[T any] struct{}

// Schema is T's, from the table of texts.
func (written[T]) Schema(huma.Registry) *huma.Schema {
	s := texts[reflect.TypeFor[T]()]
	s.Type = huma.TypeString
	return &s
}

func describe[T any](r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[T](), reflect.TypeFor[written[T]]())
}

// newRegistry is where the schemas of all types on the wire are kept.
func newRegistry() huma.Registry {
	r := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	describe[rota.TaskID](r)
	describe[rota.Duration](r)
	describe[rota.State](r)
	describe[rota.Act](r)
	describe[rota.Role](r)
	describe[rota.When](r)
	describe[rota.OnLost](r)
	describe[rota.Overlap](r)
	describe[rota.Stream](r)
	describe[rota.Outcome](r)
	describe[rota.Ending](r)
	describe[rota.NodeState](r)
	return r
}
