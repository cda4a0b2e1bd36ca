package web_test

import (
	"os"
	"testing"
)

var (
	closeBrowser = func() {}
	browserDir   string
)

// tempDir is the browser's own folder, gone with the tests.
func tempDir() (string, error) {
	var err error
	browserDir, err = os.MkdirTemp("", "rota-browser")
	return browserDir, err
}

func TestMain(m *testing.M) {
	code := m.Run()
	closeBrowser()
	if browserDir != "" {
		_ = os.RemoveAll(browserDir)
	}
	os.Exit(code)
}
