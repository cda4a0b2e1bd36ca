package rota_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rotaqueue/rota"
	"pgregory.net/rapid"
)

// D14: failures of a kind have one fingerprint, whatever numbers, ids, paths and times stand in them.
func TestFingerprintFolds(t *testing.T) {
	for name, alike := range map[string][]string{
		"python": {
			"Traceback (most recent call last):\n  File \"/srv/a/job.py\", line 12, in <module>\n    main()\nValueError: bad row 17 in /data/2026/a.csv\n",
			"Traceback (most recent call last):\n  File \"/home/kim/job.py\", line 99, in run\n    main()\nValueError: bad row 4711 in /tmp/b.csv\n",
		},
		"a time before it": {"2026-11-29T20:00:01.123Z ERROR connection to 10.0.0.1:5432 refused", "2026-01-02 03:04:05,678 ERROR connection to 10.9.8.7:5433 refused"},
		"log of Go":        {"2026/11/29 20:00:01 fatal: open /a/b: no such file or directory", "2026/12/01 01:02:03 fatal: open /c: no such file or directory"},
		"ids":              {"error: object 3f2a9c41d0 is locked", "error: object 00aa11bb22cc is locked"},
		"uuid":             {"failed 123e4567-e89b-12d3-a456-426614174000", "failed 00000000-e89b-12d3-a456-42661417ffff"},
		"hex":              {"panic: at 0x7fff1234", "panic: at 0xdeadbeef"},
		"url":              {"could not fetch https://a.example/x?y=1", "could not fetch http://b.example:8080/"},
		"colours":          {"\x1b[31merror: broken\x1b[0m", "error: broken"},
		"lines behind it":  {"error: disk 3 is full\ncleaning up\ndone", "error: disk 4 is full\n"},
		"carriage returns": {"10%\r20%\rerror: broken", "error: broken"},
		"quoted path":      {"cannot open '/a/b c'", "cannot open '/x/y c'"},
	} {
		a, b := rota.FingerprintOf(alike[0], ""), rota.FingerprintOf(alike[1], "")
		if a != b || a.Text == "" || a.ID == "" {
			t.Errorf("%s: %q and %q", name, a.Text, b.Text)
		}
	}
	different := []string{"error: broken pipe", "error: no space left", "ValueError: x", "KeyError: x", "exit code", ""}
	seen := map[string]string{}
	for _, text := range different {
		f := rota.FingerprintOf(text, "it failed")
		if other, twice := seen[f.ID]; twice {
			t.Errorf("%q and %q are one", text, other)
		}
		seen[f.ID] = text
	}
	if f := rota.FingerprintOf(" \n\n", "ended with exit code 7"); f.Text != "ended with exit code <n>" {
		t.Errorf("without output: %q", f.Text)
	}
}

// Whatever was written, a fingerprint is a short line of valid text, and folding once more changes nothing.
func TestFingerprintOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		f := rota.FingerprintOf(text, "otherwise")
		if !utf8.ValidString(f.Text) || strings.ContainsAny(f.Text, "\n\r\x00\x1b") || len(f.Text) > 210 || f.Text == "" || len(f.ID) != 10 {
			t.Fatalf("%q has the fingerprint %+v", text, f)
		}
		if again := rota.FingerprintOf(text, "otherwise"); again != f {
			t.Fatalf("%+v, and once more %+v", f, again)
		}
	})
}
