package api

import (
	"os"
	"strings"
	"time"
)

// zoneOfMachine is the name of this machine's time zone, in which crontabs are meant; UTC when it has no name.
func zoneOfMachine() string {
	name, set := os.LookupEnv("TZ")
	if name = strings.TrimPrefix(name, ":"); !set {
		link, _ := os.Readlink("/etc/localtime")
		_, name, _ = strings.Cut(link, "zoneinfo/")
	}
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		return "UTC"
	}
	return name
}
