package rota_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/rotaqueue/rota"
	"pgregory.net/rapid"
)

func anyArray() *rapid.Generator[*rota.Array] {
	return rapid.Custom(func(t *rapid.T) *rota.Array {
		a, next := &rota.Array{}, 0
		for range rapid.IntRange(1, 6).Draw(t, "ranges") {
			first := next + rapid.IntRange(0, 9).Draw(t, "gap")
			r := rota.Range{First: first, Last: first + rapid.IntRange(0, 40).Draw(t, "span"), Step: rapid.IntRange(0, 7).Draw(t, "step")}
			a.Ranges, next = append(a.Ranges, r), r.Last+1
		}
		return a
	})
}

// indexes spells an array out in the plainest way.
func indexes(a *rota.Array) []int {
	var all []int
	for _, r := range a.Ranges {
		for i := r.First; i <= r.Last; i++ {
			if (i-r.First)%max(r.Step, 1) == 0 {
				all = append(all, i)
			}
		}
	}
	return all
}

func TestArrayFrom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyArray().Draw(t, "array")
		all := indexes(a)
		if a.Len() != len(all) {
			t.Fatalf("%v has %d indexes, Len says %d", a, len(all), a.Len())
		}
		n := rapid.IntRange(0, len(all)+3).Draw(t, "n")
		if got, want := slices.Collect(a.From(n)), all[min(n, len(all)):]; !slices.Equal(got, want) {
			t.Fatalf("From(%d) of %v = %v, want %v", n, a, got, want)
		}
		if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
			t.Fatalf("indexes of %v do not rise: %v", a, all)
		}
		most := rapid.IntRange(1, 5).Draw(t, "stop after")
		var some []int
		for i := range a.From(n) {
			if some = append(some, i); len(some) == most {
				break
			}
		}
		if want := all[min(n, len(all)):min(n+most, len(all))]; !slices.Equal(some, want) {
			t.Fatalf("the first %d from %d of %v = %v, want %v", most, n, a, some, want)
		}
	})
}

func TestArrayTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyArray().Draw(t, "array")
		back, limit, err := rota.ParseArray(a.String())
		if err != nil || limit != 0 {
			t.Fatalf("ParseArray(%q): limit %d, %v", a.String(), limit, err)
		}
		if got, want := indexes(back), indexes(a); !slices.Equal(got, want) {
			t.Fatalf("%q is read back as %v, want %v", a.String(), got, want)
		}
		if back.String() != a.String() {
			t.Fatalf("%q is read back and written as %q", a.String(), back.String())
		}
	})
}

func TestParseArrayTable(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  []int
		limit int
	}{
		{"0", []int{0}, 0},
		{"3-5", []int{3, 4, 5}, 0},
		{"1-4%2", []int{1, 2, 3, 4}, 2},
		{"0-9:3", []int{0, 3, 6, 9}, 0},
		{"0-8:3", []int{0, 3, 6}, 0},
		{"0-9:2,20,30-31", []int{0, 2, 4, 6, 8, 20, 30, 31}, 0},
		{"7-7", []int{7}, 0},
		{"1-2:50", []int{1}, 0},
		{"16777214", []int{rota.MaxIndex}, 0},
	} {
		a, limit, err := rota.ParseArray(c.text)
		if err != nil || limit != c.limit || !slices.Equal(indexes(a), c.want) {
			t.Errorf("ParseArray(%q) = %v, %d, %v; want %v, %d", c.text, a, limit, err, c.want, c.limit)
		}
	}
	for _, text := range []string{"", ",", "1,", "x", "-1", "1-", "-", "1--2", "5-3", "3,3", "1-5,5", "5,1-2", "1:2", "1-5:0", "1-5:-1", "1-5:",
		"1-5%", "1-5%0", "1-5%-1", "1-5%x", "1-5%2%3", "1 - 5", " 1", "16777215", "0-16777215", "99999999999999999999", "+1"} {
		if a, limit, err := rota.ParseArray(text); !errors.Is(err, rota.ErrInvalid) || a != nil || limit != 0 || rota.FixOf(err) == "" {
			t.Errorf("ParseArray(%q) = %v, %d, %v (fix %q); want ErrInvalid with a fix", text, a, limit, err, rota.FixOf(err))
		}
	}
}

func FuzzParseArray(f *testing.F) {
	for _, s := range []string{"1-1000%50", "0-9:2,20,30-40", "7", "1-5,5", "1-5:0", "16777214", "%", "%%d", "1-2%9999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, limit, err := rota.ParseArray(s)
		if err != nil {
			if !errors.Is(err, rota.ErrInvalid) {
				t.Fatalf("ParseArray(%q): %v", s, err)
			}
			return
		}
		if limit < 0 || a.Len() < 1 || a.Len() > rota.MaxIndex+1 {
			t.Fatalf("ParseArray(%q): %d indexes, limit %d", s, a.Len(), limit)
		}
		back, _, err := rota.ParseArray(a.String())
		if err != nil || back.Len() != a.Len() || back.String() != a.String() {
			t.Fatalf("ParseArray(%q) = %v, and of that text %v, %v", s, a, back, err)
		}
		last, n := -1, 0
		for i := range a.From(0) {
			if i <= last || i > rota.MaxIndex {
				t.Fatalf("ParseArray(%q): index %d after %d", s, i, last)
			}
			if last, n = i, n+1; n == 10_000 {
				break
			}
		}
	})
}
