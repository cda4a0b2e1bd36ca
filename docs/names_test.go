package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are the texts that people write.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"../*.md", "*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			found[name] = string(b)
		}
	}
	if len(found) < 8 {
		t.Fatalf("found only %d pages", len(found))
	}
	return found
}

// source is all Go text of the repository.
func source(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		b, err := os.ReadFile(name)
		all.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// TestWhatThePagesNameIsThere looks for every test, case of the contracts and file that a page names.
func TestWhatThePagesNameIsThere(t *testing.T) {
	code := source(t)
	tests := regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")
	cases := regexp.MustCompile("`servicetest \"([^\"]+)\"`")
	files := regexp.MustCompile("`([a-z]+(?:/[a-z0-9_]+)*/[A-Za-z0-9_]+\\.(?:go|txtar|md|svg)|[a-z][a-z_]*\\.go)`")
	for name, text := range pages(t) {
		for _, m := range tests.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(code, "\nfunc "+m[1]+"(") {
				t.Errorf("%s names the test %s, which there is not", name, m[1])
			}
		}
		for _, m := range cases.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(code, `{"`+m[1]+`"`) {
				t.Errorf("%s names the case %q of servicetest, which there is not", name, m[1])
			}
		}
		for _, m := range regexp.MustCompile("`([a-z]+\\.txtar)`").FindAllStringSubmatch(text, -1) {
			if !exists(filepath.Join("../cmd/rota/testdata/script", m[1])) {
				t.Errorf("%s names the script %s, which there is not", name, m[1])
			}
		}
		folder := ".."
		for _, m := range files.FindAllStringSubmatch(text, -1) {
			path := filepath.Join("..", m[1])
			if !strings.Contains(m[1], "/") && !exists(path) {
				path = filepath.Join(folder, m[1]) // after another file of its folder
			}
			if !exists(path) {
				t.Errorf("%s names the file %s, which there is not", name, m[1])
			}
			if strings.Contains(m[1], "/") {
				folder = filepath.Join("..", filepath.Dir(m[1]))
			}
		}
	}
}

// TestLinksLeadSomewhere follows the links between the pages, headings included.
func TestLinksLeadSomewhere(t *testing.T) {
	links := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for name, text := range pages(t) {
		for _, m := range links.FindAllStringSubmatch(text, -1) {
			target, heading, _ := strings.Cut(m[1], "#")
			path := name
			if strings.Contains(target, "://") {
				t.Errorf("%s links to %s: these pages link to themselves only", name, m[1])
				continue
			}
			if target != "" {
				path = filepath.Join(filepath.Dir(name), target)
			}
			if !exists(path) {
				t.Errorf("%s links to %s, which there is not", name, m[1])
				continue
			}
			if b, err := os.ReadFile(path); heading != "" && (err != nil || !slices.Contains(anchors(string(b)), heading)) {
				t.Errorf("%s links to %s: there is no such heading", name, m[1])
			}
		}
	}
}

// anchors are the names by which the headings of a page can be linked to.
func anchors(text string) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		names = append(names, strings.ReplaceAll(plain, " ", "-"))
	}
	return names
}

// TestOperationsNamesEverything holds the page on operations to metrics, variables of jobs and files of the data folder.
func TestOperationsNamesEverything(t *testing.T) {
	b, err := os.ReadFile("operations.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for file, pattern := range map[string]string{
		"../server/meters.go":  `"(rota_[a-z_]+)"`,
		"../node/prepare.go":   `"(ROTA_[A-Z_]+)="`,
		"../keeper/slot.go":    `"(ROTA_[A-Z_]+)="`,
		"../config/setting.go": `(?m)^\t\{"([a-z.-]+)", "`,
	} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(string(b), -1)
		if len(found) == 0 {
			t.Errorf("nothing found in %s: the test does not see what it looks for", file)
		}
		for _, m := range found {
			if !strings.Contains(page, "`"+m[1]+"`") {
				t.Errorf("operations.md does not name %s of %s", m[1], file)
			}
		}
	}
}

// TestDesignHasEveryPackage holds the page on the design to the import table.
func TestDesignHasEveryPackage(t *testing.T) {
	table, err := os.ReadFile("../deps_test.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("design.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\t"([a-z/*]+)": `).FindAllStringSubmatch(string(table), -1)
	if len(rows) < 10 {
		t.Fatalf("found %d rows of the import table", len(rows))
	}
	for _, m := range rows {
		if exists(filepath.Join("..", strings.TrimSuffix(m[1], "/*"))) && !strings.Contains(string(page), "`"+m[1]+"`") {
			t.Errorf("design.md does not name the package %s", m[1])
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
