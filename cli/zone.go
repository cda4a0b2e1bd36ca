package cli

import (
	"strings"
	"time"
)

// localZone is the name of this machine's time zone.
func localZone(getenv func(string) (string, bool), readlink func(string) (string, error)) string {
	if name, ok := getenv("TZ"); ok {
		name = strings.TrimPrefix(name, ":")
		if name == "" {
			return "UTC"
		}
		if _, err := time.LoadLocation(name); err == nil {
			return name
		}
	}
	if path, err := readlink("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(path, "zoneinfo/"); ok {
			if _, err := time.LoadLocation(name); err == nil {
				return name
			}
		}
	}
	return "UTC"
}
