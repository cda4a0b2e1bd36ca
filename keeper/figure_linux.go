package keeper

import (
	"bytes"
	"os"
	"strconv"
)

// figure is the number behind a word at the beginning of a line; 0 when there is none.
func figure(text []byte, word string) int64 {
	for line := range bytes.Lines(text) {
		if fields := bytes.Fields(line); len(fields) >= 2 && string(fields[0]) == word {
			n, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			return n
		}
	}
	return 0
}

// figureIn is the same of a file.
func figureIn(file, word string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	return figure(text, word)
}

// number is the number that a file consists of; 0 when it does not.
func number(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	return n
}

// put writes a number into a file of the kernel.
func put(file string, n int64) error {
	return os.WriteFile(file, strconv.AppendInt(nil, n, 10), 0)
}
