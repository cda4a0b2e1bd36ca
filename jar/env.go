package jar

import (
	"path/filepath"
	"strconv"
	"strings"
)

// Env is what a job is told about itself and the jar. Where its scratch folder is not known yet, it is left out.
func Env(j Jar, node string, c *Claim, scratch string) []string {
	env := append(j.Env(), "JJ_JOB="+c.Name, "JJ_CATEGORY="+c.Category, "JJ_PRIORITY="+strconv.Itoa(c.Priority),
		setNode+"="+node, "JJ_WORKER="+c.Worker())
	if scratch != "" {
		env = append(env, "JJ_SCRATCH_DIR="+scratch)
	}
	return env
}

// Env is what a job needs to submit others to the same jar.
func (j Jar) Env() []string {
	return []string{setHome + "=" + j.Home, setWorkerHome + "=" + j.WorkerHome}
}

// inherited are the variables that a job gets from the worker's environment: where programs are, whose it is, and how
// that one reads and writes.
var inherited = []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ"}

// Inherited is what jobs get from the worker's environment. The jar's programs are found without their path.
func (j Jar) Inherited(getenv func(string) string) []string {
	var env []string
	bin := filepath.Join(j.Home, "bin")
	for _, name := range inherited {
		value := getenv(name)
		switch {
		case name == "PATH" && value == "":
			value = "/usr/local/bin:/usr/bin:/bin:" + bin
		case name == "PATH" && !strings.Contains(":"+value+":", ":"+bin+":"):
			value += ":" + bin
		}
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}
