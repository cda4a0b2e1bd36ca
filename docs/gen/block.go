package main

import (
	"fmt"
	"strings"
)

// replace puts a text between the two marks of a block.
func replace(page, block, inner string) (string, error) {
	begin := "<!-- " + block + ": written by go generate ./docs/gen -->\n"
	end := "<!-- end of " + block + " -->\n"
	head, rest, ok := strings.Cut(page, begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return "", fmt.Errorf("the marks of the block %q are missing", block)
	}
	return head + begin + "\n" + inner + "\n" + end + tail, nil
}

// table is a Markdown table.
func table(head []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + strings.ReplaceAll(c, "|", `\|`) + " ")
		}
		b.WriteString("|\n")
	}
	line(head)
	b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, r := range rows {
		line(r)
	}
	return b.String()
}
