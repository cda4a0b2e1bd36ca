package jar

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rotaqueue/rota"
)

// Settings are how a jar is used. They come from [Sources], which fill in what is not said.
type Settings struct {
	Jar
	Scratch    string        // folder for jobs' scratch folders; empty: each worker's own
	Node       string        // the name of this machine among those that use the jar
	Pause      time.Duration // how long a worker sleeps that has nothing to do
	MaxWorkers int           // how many "check" wants on a node
	Categories []string      // in the order in which they are looked at

	Timeout rota.Duration // of a job; 0: none
	Grace   rota.Duration // between TERM and KILL; 0: rota.DefaultGrace
	Limits  rota.Limits

	// Notes are sentences on what was found and not understood.
	Notes []string
}

// The names of settings, in the environment and in files.
const (
	setHome       = "JJ_HOME"
	setWorkerHome = "JJ_WORKER_HOME"
	setScratch    = "JJ_SCRATCH_HOME"
	setNode       = "JJ_NODE"
	setPause      = "JJ_PAUSE_TIME"
	setMax        = "JJ_MAX_WORKERS"
	setCategories = "JJ_CATEGORIES"
	setTimeout    = "JJ_TIMEOUT"
	setGrace      = "JJ_GRACE"
	setMemory     = "JJ_MEM"
	setCPUs       = "JJ_CPUS"
	setPIDs       = "JJ_PIDS"
	setNice       = "JJ_NICE"

	setConfig = "JJ_CONFIG_FILE" // in the environment only
)

// names are all settings that may stand in a file.
var names = []string{setHome, setWorkerHome, setScratch, setNode, setPause, setMax, setCategories, setTimeout, setGrace,
	setMemory, setCPUs, setPIDs, setNice}

// What holds where nothing is said.
const (
	defaultPause   = 60 * time.Second
	defaultWorkers = 4
)

// Sources are where settings come from. What was given by a caller goes before the environment, that before the
// personal file, that before the jar's own, and that before what holds by default.
type Sources struct {
	Given    map[string]string // by name; of a caller
	Getenv   func(name string) string
	ReadFile func(path string) ([]byte, error)
	UserHome string // of who calls; empty: there is no personal file
	Install  string // the jar that the program was called from, by a link in its bin; empty: none
	Hostname string
}

// said is a setting's value and who said it.
type said struct{ value, source string }

// Load reads the settings. An error names the place of what is wrong.
func (s Sources) Load() (Settings, error) {
	found := map[string]said{}
	var set Settings
	personal, must := s.personal()
	if err := s.readFile(personal, must, found, &set); err != nil {
		return set, err
	}
	for _, name := range names {
		if value := s.Getenv(name); value != "" {
			found[name] = said{value, name}
		}
		if value, ok := s.Given[name]; ok {
			found[name] = said{value, flagOf(name)}
		}
	}
	if err := s.readGlobal(found, &set); err != nil {
		return set, err
	}
	if _, ok := found[setHome]; !ok && s.Install != "" {
		found[setHome] = said{s.Install, "the program's own folder"}
	}
	return set, set.fill(found, s.Hostname)
}

func flagOf(name string) string {
	if name == setHome {
		return "--jar"
	}
	return name
}

// personal is the caller's own file, and whether it must be there.
func (s Sources) personal() (path string, must bool) {
	if path = s.Getenv(setConfig); path != "" {
		return path, true
	}
	if s.UserHome == "" {
		return "", false
	}
	return filepath.Join(s.UserHome, ".jobjar", "config.ini"), false
}

// readGlobal reads the file of the jar that the program was called from, or else of the one that is meant. What is known
// already stands.
func (s Sources) readGlobal(found map[string]said, set *Settings) error {
	folder := s.Install
	if folder == "" {
		folder = found[setHome].value
	}
	if folder == "" {
		return nil
	}
	global := map[string]said{}
	if err := s.readFile(filepath.Join(folder, "config.ini"), false, global, set); err != nil {
		return err
	}
	for name, v := range global {
		if _, ok := found[name]; !ok {
			found[name] = v
		}
	}
	return nil
}

func (s Sources) readFile(path string, must bool, found map[string]said, set *Settings) error {
	if path == "" {
		return nil
	}
	text, err := s.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return nil
	}
	if err != nil {
		return rota.Errorf(rota.ErrInvalid, "file of settings: %v", err).WithFix("mend it, or unset %s", setConfig)
	}
	settings, err := parseINI(string(text))
	if err != nil {
		return rota.Invalid("%s:%v", path, err)
	}
	for _, v := range settings {
		source := fmt.Sprintf("%s:%d", path, v.line)
		if !slices.Contains(names, v.name) {
			set.Notes = append(set.Notes, fmt.Sprintf("%s: there is no setting %q; it is left out", source, v.name))
			continue
		}
		found[v.name] = said{v.value, source}
	}
	return nil
}

// fill makes settings of what was found.
func (set *Settings) fill(found map[string]said, hostname string) error {
	set.Node, set.Pause, set.MaxWorkers = hostname, defaultPause, defaultWorkers
	for _, name := range names {
		v, ok := found[name]
		if !ok || v.value == "" {
			continue
		}
		if err := set.set(name, v.value); err != nil {
			return rota.Invalid("%s: %v", v.source, err).WithFix("%s", rota.FixOf(err))
		}
	}
	if set.Home == "" {
		return rota.Invalid("which jar? None is named").WithFix("--jar DIR, or %s=DIR; rota jar init DIR makes one", setHome)
	}
	if set.WorkerHome == "" {
		set.WorkerHome = filepath.Join(set.Home, "workers")
	}
	return nil
}

func (set *Settings) set(name, value string) (err error) {
	switch name {
	case setHome:
		set.Home, err = absolute(name, value)
	case setWorkerHome:
		set.WorkerHome, err = absolute(name, value)
	case setScratch:
		set.Scratch, err = absolute(name, value)
	case setNode:
		set.Node, err = value, checkNode(value)
	case setPause:
		set.Pause, err = parsePause(value)
	case setMax:
		set.MaxWorkers, err = parseWorkers(value)
	case setCategories:
		set.Categories, err = parseCategories(value)
	case setTimeout:
		set.Timeout, err = rota.ParseDuration(value)
	case setGrace:
		set.Grace, err = rota.ParseDuration(value)
	default:
		err = set.setLimit(name, value)
	}
	return err
}

func (set *Settings) setLimit(name, value string) (err error) {
	switch name {
	case setMemory:
		var size rota.Size
		size, err = rota.ParseSize(value)
		set.Limits.Memory = int64(size)
	case setCPUs:
		set.Limits.CPUs, err = rota.ParseCPUs(value)
	case setPIDs:
		if set.Limits.PIDs, err = strconv.Atoi(value); err != nil {
			err = rota.Invalid("%q is not a number", value)
		}
	case setNice:
		set.Limits.Nice, err = rota.ParseNice(value)
	}
	if err == nil {
		err = rota.Allowance{Default: set.Limits}.Check()
	}
	return err
}

func absolute(name, value string) (string, error) {
	if !filepath.IsAbs(value) {
		return "", rota.Invalid("%s %q: must be an absolute path", name, value)
	}
	return filepath.Clean(value), nil
}

func checkNode(name string) error {
	if err := CheckCategory(name); err != nil || strings.ContainsAny(name, " \t,") {
		return rota.Invalid("%s %q: a node's name is that of a folder, without blanks and commas", setNode, name)
	}
	return nil
}

// leastPause keeps a worker from looking all the time.
const leastPause = 10 * time.Millisecond

func parsePause(value string) (time.Duration, error) {
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || seconds < 0 || seconds > math.MaxInt32 || math.IsNaN(seconds) {
		return 0, rota.Invalid("%s %q: a number of seconds", setPause, value)
	}
	return max(time.Duration(seconds*float64(time.Second)), leastPause), nil
}

func parseWorkers(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return 0, rota.Invalid("%s %q: a number, from 0 on", setMax, value)
	}
	return n, nil
}

// parseCategories reads names with blanks or commas between.
func parseCategories(value string) ([]string, error) {
	list := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	for _, c := range list {
		if err := CheckCategory(c); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Order is the categories that a worker looks at: the node's own, those of its list in their order, and "", which is
// the jobs without one.
func Order(node string, categories []string) []string {
	var order []string
	for _, c := range append(append([]string{node}, categories...), "") {
		if !slices.Contains(order, c) {
			order = append(order, c)
		}
	}
	return order
}

// Jittered is how long a worker sleeps: up to a tenth more or less, and never more than 10 s off, so that workers do not
// look at the same time. random is from 0 to 1.
func Jittered(pause time.Duration, random float64) time.Duration {
	off := min(pause/10, 10*time.Second)
	return pause + time.Duration((2*random-1)*float64(off))
}

// Environ is the settings as variables, for a process that is to have the same.
func (set Settings) Environ() []string {
	env := append(set.Jar.Env(), setNode+"="+set.Node, setPause+"="+strconv.FormatFloat(set.Pause.Seconds(), 'f', -1, 64),
		setMax+"="+strconv.Itoa(set.MaxWorkers), setCategories+"="+strings.Join(set.Categories, " "), setScratch+"="+set.Scratch)
	for _, v := range []struct {
		name, text string
		said       bool
	}{
		{setTimeout, set.Timeout.String(), set.Timeout != 0}, {setGrace, set.Grace.String(), set.Grace != 0},
		{setMemory, rota.Size(set.Limits.Memory).String(), set.Limits.Memory != 0},
		{setCPUs, strconv.FormatFloat(set.Limits.CPUs, 'f', -1, 64), set.Limits.CPUs != 0},
		{setPIDs, strconv.Itoa(set.Limits.PIDs), set.Limits.PIDs != 0}, {setNice, strconv.Itoa(set.Limits.Nice), set.Limits.Nice != 0},
	} {
		if v.said {
			env = append(env, v.name+"="+v.text)
		}
	}
	return env
}
