// Package packaging_test holds what makes a release to what is in it: scripts/release, the list of the packages' files and the
// Dockerfile.
package packaging_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

const version = "1.2.3"

// tree is a copy of what a release is made of: it leaves its folder dist behind.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	names := strings.Fields(says(t, nil, "sh", "-c", "cd .. && find . -path ./.git -prune -o -path ./dist -prune -o -path ./docs/screens -prune -o -type f -size -2048k -print"))
	for _, name := range names {
		to := filepath.Join(dir, name)
		info, err := os.Stat(filepath.Join("..", name))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join("..", name))
		if err == nil {
			err = os.WriteFile(to, text, info.Mode())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// says is what a program prints, which must succeed.
func says(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = &strings.Builder{}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, cmd.Stderr)
	}
	return string(out)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// linked is a binary as releases have them, but for the names of folders in it: that would compile everything anew. The flags
// are those that a text gives the linker.
func linked(t *testing.T, text string) string {
	t.Helper()
	found := regexp.MustCompile(`-ldflags "([^"]+)"`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("nothing is said to the linker in\n%s", text)
	}
	flags := regexp.MustCompile(`\$(version|VERSION)`).ReplaceAllString(found[1], version)
	binary := filepath.Join(t.TempDir(), "rota")
	says(t, []string{"CGO_ENABLED=0"}, "go", "build", "-buildvcs=false", "-ldflags", flags, "-o", binary, "../cmd/rota")
	if got := says(t, nil, binary, "version"); !strings.HasPrefix(got, "rota "+version+" ") {
		t.Errorf("the binary says that it is %q", got)
	}
	return binary
}

// sources are the files that the packages' list takes, with how the script fills in what it has of variables.
func sources(t *testing.T, list string, vars map[string]string) (files []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:- )?(?:src|postinstall|preremove): (\S+)$`).FindAllStringSubmatch(list, -1) {
		files = append(files, os.Expand(m[1], func(name string) string {
			if vars[name] == "" {
				t.Errorf("%s: nobody says what %s is", m[1], name)
			}
			return vars[name]
		}))
	}
	if len(files) < 10 {
		t.Fatalf("the list has only %q", files)
	}
	return files
}

// TestAReleaseHasAllThatItsPackagesList runs the script with the same binary for each platform, and looks at what it gives to
// whoever makes the packages.
func TestAReleaseHasAllThatItsPackagesList(t *testing.T) {
	script := read(t, "../scripts/release")
	binary, dir, bin, kept := linked(t, strings.ReplaceAll(script, "flags=(-trimpath -buildvcs=false ", "")), tree(t), t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"go":   "#!/bin/sh\nset -e\n[ \"$1\" = build ]\nwhile [ \"$1\" != -o ]; do shift; done\ncp '" + binary + "' \"$2\"\n",
		"nfpm": "#!/bin/sh\nset -e\n[ \"$1 $2 $3\" = 'package -f packaging/nfpm.yaml' ] && [ \"$VERSION\" = " + version + " ]\nmkdir -p '" + kept + "'/$ARCH\ncp -r \"$ROOT\"/. '" + kept + "'/$ARCH\necho $ARCH >dist/rota-$ARCH.$5\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "NFPM=" + filepath.Join(bin, "nfpm")}
	says(t, env, filepath.Join(dir, "scripts/release"), version)
	for _, name := range []string{"rota-1.2.3-linux-amd64", "rota-1.2.3-linux-arm64", "rota-1.2.3-darwin-arm64", "rota-1.2.3-freebsd-amd64",
		"rota-amd64.deb", "rota-amd64.rpm", "rota-arm64.deb", "rota-arm64.rpm"} {
		if _, err := os.Stat(filepath.Join(dir, "dist", name)); err != nil {
			t.Error(err)
		}
	}
	says(t, nil, "sh", "-c", "cd '"+dir+"/dist' && [ $(wc -l <SHA256SUMS) = 8 ] && sha256sum -c SHA256SUMS")
	for _, arch := range []string{"amd64", "arm64"} {
		root := filepath.Join(kept, arch)
		for _, file := range sources(t, read(t, "nfpm.yaml"), map[string]string{"ROOT": root, "ARCH": arch, "VERSION": version}) {
			if !filepath.IsAbs(file) {
				file = filepath.Join(dir, file)
			}
			if info, err := os.Stat(file); err != nil || info.Size() == 0 {
				t.Errorf("%s: %v", file, err)
			}
		}
		for _, unit := range []string{"rota.service", "rota.socket"} {
			if text := read(t, filepath.Join(root, unit)); strings.Contains(text, "{{") {
				t.Errorf("%s is not filled in:\n%s", unit, text)
			}
		}
		if text := read(t, filepath.Join(root, "rota.service")); !strings.Contains(text, "\nExecStart=/usr/bin/rota ") {
			t.Errorf("the unit starts something else:\n%s", text)
		}
		if pages, err := filepath.Glob(filepath.Join(root, "man", "rota*.1.gz")); err != nil || len(pages) < 50 {
			t.Errorf("%d pages of the manual, %v", len(pages), err)
		}
	}
	for _, script := range []string{"postinstall", "preremove"} {
		says(t, nil, "sh", "-n", script)
	}
}

// TestReleaseSoak makes a real release and looks into its packages.
func TestReleaseSoak(t *testing.T) {
	if os.Getenv("ROTA_SOAK") == "" {
		t.Skip("compiles four platforms and what makes packages: set ROTA_SOAK=1")
	}
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip(err)
	}
	dir, root := tree(t), t.TempDir()
	says(t, nil, filepath.Join(dir, "scripts/release"), version)
	says(t, nil, "sh", "-c", "cd '"+dir+"/dist' && sha256sum -c SHA256SUMS")
	says(t, nil, "dpkg-deb", "-x", filepath.Join(dir, "dist", "rota_1.2.3_"+runtime.GOARCH+".deb"), root)
	if got := says(t, nil, filepath.Join(root, "usr/bin/rota"), "version"); !strings.HasPrefix(got, "rota "+version+" ") {
		t.Errorf("the packaged binary says that it is %q", got)
	}
	for _, name := range []string{"usr/lib/systemd/system/rota.service", "usr/share/man/man1/rota-submit.1.gz", "usr/share/bash-completion/completions/rota", "var/lib/rota"} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Error(err)
		}
	}
	rpms, err := filepath.Glob(filepath.Join(dir, "dist", "*.rpm"))
	if err != nil || len(rpms) != 2 {
		t.Fatalf("%q, %v", rpms, err)
	}
	for _, name := range rpms {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		lead := make([]byte, 4)
		if _, err := io.ReadFull(f, lead); err != nil || string(lead) != "\xed\xab\xee\xdb" {
			t.Errorf("%s begins with %x, %v", name, lead, err)
		}
		f.Close()
	}
}

// TestDockerfile holds it to the program: to Go's version, to the name of the variable that it sets, and to the arguments
// that the image starts with. An image itself is not made: that needs others' images.
func TestDockerfile(t *testing.T) {
	text := read(t, "../Dockerfile")
	needs := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "../go.mod"))
	if needs == nil || !strings.Contains(text, "\nFROM golang:"+needs[1]+" AS build\n") {
		t.Errorf("go.mod asks for Go %q", needs)
	}
	binary := linked(t, text)
	var args []string
	for _, word := range []string{"ENTRYPOINT", "CMD"} {
		m := regexp.MustCompile(`(?m)^` + word + ` (\[.*\])$`).FindStringSubmatch(text)
		var some []string
		if m == nil || json.Unmarshal([]byte(m[1]), &some) != nil {
			t.Fatalf("no %s", word)
		}
		args = append(args, some...)
	}
	if args[0] != "rota" {
		t.Errorf("it starts %q", args)
	}
	says(t, nil, binary, append(args[1:], "--help")...)
	port := regexp.MustCompile(`(?m)^EXPOSE (\d+)$`).FindStringSubmatch(text)
	if port == nil || !strings.HasSuffix(args[len(args)-1], ":"+port[1]) {
		t.Errorf("it shows the port %q, and listens on %q", port, args)
	}
}
