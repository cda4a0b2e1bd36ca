package keeper

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/executor"
)

// jobOfTest says what the test binary does as a job: a target may have neither a shell nor an interpreter.
const jobOfTest = "KEEPER_TEST_JOB"

func runJob(job string) {
	word, rest, _ := strings.Cut(job, " ")
	n, _ := strconv.Atoi(rest)
	switch word {
	case "exit":
		os.Exit(n)
	case "kill": // by somebody else, as far as the keeper can know
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	case "wait": // for as long as it may
	case "hold": // MiB
		hold(n)
		fmt.Println("holds")
	case "share": // MiB that four processes have in common
		b, err := unix.Mmap(-1, 0, n<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
		if err != nil {
			giveUp(err)
		}
		touch(b)
		fmt.Println("holds")
	case "child": // one that holds MiB; what becomes of it does not matter
		child := exec.Command("/proc/self/exe")
		child.Env = []string{jobOfTest + "=hold " + rest}
		_ = child.Run()
		os.Exit(0)
	case "bomb": // so many processes, each waiting
		made := 0
		for range n {
			child := exec.Command("/proc/self/exe")
			child.Env = []string{jobOfTest + "=wait"}
			if child.Start() == nil {
				made++
			}
		}
		fmt.Println("made", made)
		if made < n {
			os.Exit(3)
		}
	case "burn": // until there were so many throttled periods, or for ever
		burn(rest)
		os.Exit(0)
	case "nice":
		fmt.Println(ownNice())
		os.Exit(0)
	case "escape": // a child in a session of its own that holds MiB
		child := exec.Command("/proc/self/exe")
		child.Env = []string{jobOfTest + "=hold " + rest}
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			giveUp(err)
		}
		fmt.Println(child.Process.Pid)
	}
	for { // not select {}: without cgo the runtime takes that for a deadlock
		_ = unix.Pause()
	}
}

func giveUp(err error) {
	fmt.Println(err)
	os.Exit(1)
}

var held [][]byte

func hold(mib int) {
	for range mib {
		b, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
		if err != nil {
			giveUp(err)
		}
		touch(b)
		held = append(held, b)
	}
}

func touch(b []byte) {
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
}

// burn takes CPU time until its group was throttled.
func burn(stat string) {
	for n := 0; ; n++ {
		if n%100_000 == 0 && figureIn(stat, "nr_throttled") >= 3 {
			fmt.Println("throttled")
			return
		}
	}
}

// job is an attempt in which the test binary does something.
func job(n int, text string, l rota.Limits) executor.Process {
	p := command(n, "/proc/self/exe")
	p.Argv[0], _ = os.Executable()
	p.Env = []string{jobOfTest + "=" + text, "GOMAXPROCS=1", "GOGC=off"}
	p.Limits = l
	return p
}
