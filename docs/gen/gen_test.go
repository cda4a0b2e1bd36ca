package main

import "testing"

func TestGeneratedTextsAreFresh(t *testing.T) {
	for _, x := range texts {
		want, have, err := x.compare("../..")
		switch {
		case err != nil:
			t.Errorf("docs/%s %s: %v", x.path, x.block, err)
		case want != have:
			t.Errorf("docs/%s %s does not say what the code does any more: go generate ./docs/gen", x.path, x.block)
		}
	}
}
