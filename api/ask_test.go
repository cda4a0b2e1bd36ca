package api

import (
	"io"
	"strings"
)

func readerOf(body string) io.Reader {
	if body == "" {
		return nil
	}
	return strings.NewReader(body)
}
