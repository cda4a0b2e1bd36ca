//go:build !386 && !arm

package keeper

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// The users of these tests: numbers that nobody has.
const (
	guestUID  = 61234
	guestGID  = 61235
	moreGroup = 61236
)

func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: runs jobs as other users")
	}
}

func someone() *executor.Identity {
	return &executor.Identity{UID: guestUID, GID: guestGID, Groups: []uint32{moreGroup}}
}

// tells prints all that a process could have of the keeper's.
const tells = `while read -r line; do case $line in Uid*|Gid*|Groups*|Cap*) echo "$line";; esac; done < /proc/$$/status
for f in /proc/$$/fd/*; do echo "fd ${f##*/}"; done
echo --
exec cat /proc/$$/environ`

func drops() int {
	if os.Getenv("ROTA_SOAK") != "" {
		return 10_000
	}
	return 100
}

// TestZ8_DropLeaksNothing: what runs as another user has that user's numbers and groups, no capability, three
// descriptors, and the environment that it was given.
func TestZ8_DropLeaksNothing(t *testing.T) {
	asRoot(t)
	const slots = 4
	r := rigWith(t, Options{Dir: t.TempDir(), Slots: slots, Log: slog.Default()})
	n, leaks := drops(), 0
	for first := 1; first <= n; first += 50 {
		var ps []executor.Process
		for i := first; i < first+50; i++ {
			p := sh(i, tells)
			p.Env, p.As = []string{"PATH=/usr/bin:/bin", "OWN=" + strconv.Itoa(i)}, someone()
			ps = append(ps, p)
		}
		r.start(ps...)
		for _, p := range ps {
			e := r.await(p.Try)
			if e.Outcome != rota.OutcomeSucceeded {
				t.Fatalf("%s: %s", e.Reason, r.output(e, rota.Stderr))
			}
			if leak := leaked(r.output(e, rota.Stdout), p); leak != "" {
				leaks++
				t.Errorf("%v: %s", p.Try, leak)
			}
			r.Forget([]rota.Try{p.Try})
			_ = os.Remove(e.Output[rota.Stdout])
		}
	}
	t.Logf("%d drops, %d leaks", n, leaks)
}

func leaked(output string, p executor.Process) string {
	house := ""
	before, environ, _ := strings.Cut(strings.TrimSuffix(output, "\x00"), "--\n")
	lines := strings.Split(strings.TrimSpace(before), "\n")
	for line := range strings.SplitSeq(environ, "\x00") {
		lines = append(lines, "env "+line)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		fields := strings.Join(strings.Fields(value), " ")
		switch {
		case name == "Uid" && fields == four(guestUID), name == "Gid" && fields == four(guestGID), name == "Groups" && fields == numbers(p.As.Groups):
		case strings.HasPrefix(name, "Cap") && (strings.Trim(fields, "0") == "" || name == "CapBnd"): // the bound gives nothing
		case line == "fd 0", line == "fd 1", line == "fd 2", line == "fd 3": // the last is the shell's, as it looks: had it been there, this were 4
		case slices.Contains(p.Env, strings.TrimPrefix(line, "env ")):
		case strings.HasPrefix(line, "env ROTA_SCRATCH_DIR=/var/tmp/rota-"):
			house = strings.TrimPrefix(line, "env ROTA_SCRATCH_DIR=")
		case strings.HasPrefix(line, "env ROTA_SLOT="):
		case house != "" && line == "env PWD="+house, line == "env _=/usr/bin/cat", line == "env _=/bin/cat":
		default:
			return line
		}
	}
	if len(lines) < 14 || house == "" {
		return "too little was told: " + output
	}
	return ""
}

// TestZ8_GuestHasItsOwnFiles: scratch folder, script, token and output are the user's own, and nobody else's.
func TestZ8_GuestHasItsOwnFiles(t *testing.T) {
	asRoot(t)
	r := newRig(t, 1)
	p := command(1, "the script")
	p.Body = "#!/bin/sh\nset -e\ntest \"$(stat -c %u:%a .)\" = 61234:700\ntest \"$(stat -c %u:%a \"$ROTA_TOKEN_FILE\")\" = 61234:400\n" +
		"cat \"$ROTA_TOKEN_FILE\"; echo > file; echo told > /dev/stderr; stat -c ' %u:%a' \"$0\" .."
	p.As, p.Token = someone(), "rtj_1"
	e := r.run(p)
	if e.Outcome != rota.OutcomeSucceeded || r.output(e, rota.Stdout) != "rtj_1 61234:700\n 61234:700\n" || r.output(e, rota.Stderr) != "told\n" {
		t.Fatalf("%s: %q %q", e.Reason, r.output(e, rota.Stdout), r.output(e, rota.Stderr))
	}
	until(t, "the room is removed", func() bool { left, err := os.ReadDir(guestHouse(r.local.dir)); return err == nil && len(left) == 0 })
	if e := r.run(sh(2, "id -u; ls")); r.output(e, rota.Stdout) != "0\n" {
		t.Errorf("who comes next is %q", r.output(e, rota.Stdout))
	}
}

// TestZ8_C3_GuestHasACopyOfTheNodesProgram: one that the user could not open, with its arguments, and under no name of the node's.
func TestZ8_C3_GuestHasACopyOfTheNodesProgram(t *testing.T) {
	asRoot(t)
	r := newRig(t, 1)
	private := filepath.Join(t.TempDir(), "private")
	if err := os.Mkdir(private, 0o700); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(private, "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nstat -c %u:%a \"$0\"; echo \"$@\"; cat "+program+"\n"), 0o500); err != nil {
		t.Fatal(err)
	}
	p := command(1, "program", "a", "b c")
	p.As, p.Program = someone(), program
	e := r.run(p)
	if out := r.output(e, rota.Stdout); out != "61234:500\na b c\n" || !strings.Contains(r.output(e, rota.Stderr), "Permission denied") {
		t.Fatalf("%s: %q %q", e.Reason, out, r.output(e, rota.Stderr))
	}
	p = command(2, "program", "a")
	p.Program = program
	if e := r.run(p); r.output(e, rota.Stdout) != "0:500\na\n"+"#!/bin/sh\nstat -c %u:%a \"$0\"; echo \"$@\"; cat "+program+"\n" {
		t.Fatalf("as the keeper's own: %s: %q %q", e.Reason, r.output(e, rota.Stdout), r.output(e, rota.Stderr))
	}
}

// TestZ8_NothingIsOpenedForAGuest: the working folder, programs, standard input and output files are those that the user
// can open, and no others, however they are named.
func TestZ8_NothingIsOpenedForAGuest(t *testing.T) {
	asRoot(t)
	r := newRig(t, 1)
	public := publicFolder(t)
	secret := filepath.Join(t.TempDir(), "secret") // below a folder of root's
	place(t, secret, "root's", 0o600)
	link := filepath.Join(public, "link")
	if err := os.Symlink(secret, link); err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(public, "closed")
	place(t, mine, "#!/bin/sh\nexit 0\n", 0o700)
	for i, change := range []func(*executor.Process){
		func(p *executor.Process) { p.Dir = filepath.Dir(secret) },
		func(p *executor.Process) { p.Stdin = link },
		func(p *executor.Process) { p.Out = link },
		func(p *executor.Process) { p.Err = link },
		func(p *executor.Process) { p.Out = filepath.Join("/etc", "rota-test-new-file") },
		func(p *executor.Process) { p.Argv = []string{mine} },
		func(p *executor.Process) { p.Argv, p.Env = []string{"closed"}, []string{"PATH=" + public} },
	} {
		p := sh(i+1, "cat")
		p.As = someone()
		change(&p)
		if e := r.run(p); e.Outcome != rota.OutcomeRefused || e.Spawned || !strings.Contains(e.Reason, "permission denied") && !strings.Contains(e.Reason, "not executable") {
			t.Errorf("%d: %s %s", i, e.Outcome, e.Reason)
		}
	}
	if text, err := os.ReadFile(secret); string(text) != "root's" {
		t.Errorf("root's file has %q, %v", text, err)
	}
}

// TestZ8_SymlinkRacesAreRefused: while jobs of a user run, that user puts links to root's files in the place of output files
// and of what lies in the room, as fast as it can. Nothing of root's is written, given away or removed.
func TestZ8_SymlinkRacesAreRefused(t *testing.T) {
	asRoot(t)
	r := newRig(t, 3)
	public := publicFolder(t)
	if err := os.Chown(public, guestUID, guestGID); err != nil {
		t.Fatal(err)
	}
	victim := t.TempDir()
	secret := filepath.Join(victim, "secret")
	place(t, secret, "root's", 0o600)
	const rounds = 60
	attacker := sh(1, fmt.Sprintf(`cd %[1]s; while :; do
		ln -sfn %[2]s out; rm -f out; echo > out; rm -f out
		for r in ../rota-*/* %[3]s/*; do rm -rf "$r/scratch" "$r/token" "$r/body"; ln -s %[2]s "$r/scratch"; ln -s %[4]s "$r/token"; ln -s %[4]s "$r/body"; done
	done 2>/dev/null`, public, victim, guestHouse(r.local.dir), secret))
	attacker.As, attacker.Grace = someone(), 0
	r.start(attacker)
	for i := range rounds {
		p := command(i+2, "script")
		p.Body, p.As, p.Out, p.Token = "echo changed; echo changed > file; exit 0", someone(), filepath.Join(public, "out"), "t"
		r.run(p) // whatever becomes of it
	}
	r.Stop(attacker.Try, true)
	r.await(attacker.Try)
	var st unix.Stat_t
	text, err := os.ReadFile(secret)
	if serr := unix.Stat(victim, &st); string(text) != "root's" || err != nil || serr != nil || st.Uid != 0 {
		t.Errorf("root's file has %q, %v; its folder is %d's, %v", text, err, st.Uid, serr)
	}
	if all, err := os.ReadDir(victim); err != nil || len(all) != 1 {
		t.Errorf("root's folder has %v, %v", all, err)
	}
}

// TestP28_EachSlotHasAUser: jobs of nobody's run as a user of their slot, of whom nothing is left when the next one starts.
func TestP28_EachSlotHasAUser(t *testing.T) {
	asRoot(t)
	r := rigWith(t, Options{Dir: t.TempDir(), Slots: 2, NoGroups: true})
	nobodys := &executor.Identity{UID: guestUID, Slots: 2}
	p := sh(1, "id -u; id -g; id -G; echo $HOME; cd; pwd -P; setsid sleep 1000 >/dev/null 2>&1 &")
	p.As = nobodys
	e := r.run(p)
	lines := strings.Split(r.output(e, rota.Stdout), "\n")
	if len(lines) != 6 || lines[0] != lines[1] || lines[1] != lines[2] || lines[3] != lines[4] || lines[0] != "61234" && lines[0] != "61235" {
		t.Fatalf("%s %q", e.Reason, lines)
	}
	uid, _ := strconv.Atoi(lines[0])
	all, err := running()
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range all {
		until(t, "everything of the user is dead", func() bool { return look(left.pid) == nil || !left.isOf(uint32(uid)) })
	}
	ids := map[string]bool{}
	var ps []executor.Process
	for i := range 2 {
		p := sh(10+i, "id -u; while ! test -e "+filepath.Join(publicFolder(t), "never")+"; do sleep 0.01; done")
		p.As = nobodys
		ps = append(ps, p)
	}
	r.start(ps...)
	for _, p := range ps {
		until(t, "it tells its user", func() bool { text, _ := os.ReadFile(r.File(p.Try, rota.Stdout)); return len(text) > 0 })
		text, _ := os.ReadFile(r.File(p.Try, rota.Stdout))
		ids[string(text)] = true
	}
	if len(ids) != 2 {
		t.Errorf("two slots have the users %v", ids)
	}
}

// TestP28_RootIsNobodysGuest: the number 0 never comes out of an identity.
func TestP28_RootIsNobodysGuest(t *testing.T) {
	asRoot(t)
	r := newRig(t, 1)
	p := sh(1, "id")
	p.As = &executor.Identity{GID: 5}
	if e := r.run(p); e.Outcome != rota.OutcomeRefused {
		t.Errorf("%s %s", e.Outcome, e.Reason)
	}
}

// publicFolder is one that every user can reach.
func publicFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "rotatest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func place(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// TestC3AGuestsArtifactsAreItsOwn: what ran as another user is asked for files with that user's rights, in the room that is
// about to be removed; a link in the folder's place leads to nothing that the user could not read.
func TestC3AGuestsArtifactsAreItsOwn(t *testing.T) {
	asRoot(t)
	r := newRig(t, 1)
	secret := filepath.Join(t.TempDir(), "secret")
	place(t, secret, "root's", 0o600)
	public := publicFolder(t)
	place(t, filepath.Join(public, "closed"), "root's", 0o600)
	for i, c := range []struct {
		text, dir, missed string
		want              []string
	}{
		{"mkdir out; echo > out/a; echo > out/b; chmod 0 out/b; ln -s " + secret + " out/c", "", "permission denied", []string{"out/a"}},
		{"rm -rf ../scratch; ln -s " + filepath.Dir(secret) + " ../scratch", "", "working folder: ", nil},
		{"true", public, `"closed": permission denied`, nil},
	} {
		p := sh(i+1, c.text)
		p.As, p.Dir, p.Artifacts = someone(), c.dir, []string{"out/*", "secret", "closed"}
		r.wantLeft(r.run(p), c.missed, c.want...)
	}
	until(t, "the room is removed", func() bool { left, err := os.ReadDir(guestHouse(r.local.dir)); return err == nil && len(left) == 0 })
}
