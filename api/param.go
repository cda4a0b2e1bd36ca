package api

import (
	"encoding"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rotaqueue/rota"
)

// text is a parameter of a type that is written as text, as the type itself reads it. (huma would read a type that
// is an integer underneath as an integer.)
type text[T any] struct{ V T }

func (p *text[T]) UnmarshalText(b []byte) error {
	return any(&p.V).(encoding.TextUnmarshaler).UnmarshalText(b)
}

// Schema is the one of T.
func (text[T]) Schema(r huma.Registry) *huma.Schema { return r.Schema(reflect.TypeFor[T](), true, "") }

type (
	taskText     = text[rota.TaskID]
	durationText = text[rota.Duration]
)

// atMost is how long a call may wait that asked for so long.
func atMost(wait durationText) time.Duration { return min(wait.V.D(), rota.MaxWait) }

// params are the query parameters of a call; what is zero is left out, because that is what leaving it out means.
type params struct{ url.Values }

func query() params { return params{url.Values{}} }

func (q params) text(name, value string) params {
	if value != "" {
		q.Set(name, value)
	}
	return q
}

func (q params) number(name string, n int64) params {
	if n != 0 {
		q.Set(name, strconv.FormatInt(n, 10))
	}
	return q
}

func (q params) flag(name string, is bool) params {
	if is {
		q.Set(name, "true")
	}
	return q
}

func (q params) time(name string, t time.Time) params {
	if !t.IsZero() {
		q.Set(name, t.UTC().Format(time.RFC3339Nano))
	}
	return q
}

func (q params) wait(d time.Duration) params {
	if d > 0 {
		q.Set("wait", rota.Duration(d).String())
	}
	return q
}
