package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// checkZones asks whether the zones of schedules are known, and which is this machine's.
func checkZones(context.Context, Place) Finding {
	if err := tryZones(); err != nil {
		return fail("apt-get install tzdata, or use a released binary, which brings them", "schedules in other time zones cannot run: %v", err)
	}
	return judgeLocal(localZone(os.LookupEnv, "/etc"))
}

// tryZones takes a few from all over the world, and one whose clocks are known to be put forward.
func tryZones() error {
	for _, name := range []string{"Europe/Berlin", "Asia/Kolkata", "Pacific/Chatham", "America/Santiago"} {
		if _, err := time.LoadLocation(name); err != nil {
			return err
		}
	}
	york, err := time.LoadLocation("America/New_York")
	if err != nil {
		return err
	}
	_, winter := time.Date(2025, time.January, 1, 0, 0, 0, 0, york).Zone()
	_, summer := time.Date(2025, time.July, 1, 0, 0, 0, 0, york).Zone()
	if winter != -5*3600 || summer != -4*3600 {
		return fmt.Errorf("the rules of America/New_York are wrong: %d and %d seconds from UTC", winter, summer)
	}
	return nil
}

func judgeLocal(name string, err error) Finding {
	if err != nil {
		return warn("export TZ=Europe/Berlin (or your zone), or unset TZ", "%v: Rota goes by UTC", err)
	}
	return ok("time zones are known; this machine's is %s, where it is %s", name, time.Now().Format("15:04 -0700"))
}

// localZone finds the name of the machine's zone where Go finds the zone itself; Go does not tell it. The error is
// for a TZ that Go does not understand.
func localZone(getenv func(string) (string, bool), etc string) (string, error) {
	if tz, set := getenv("TZ"); set {
		return zoneOfTZ(tz)
	}
	link, err := filepath.EvalSymlinks(filepath.Join(etc, "localtime"))
	if err != nil {
		return "UTC", nil
	}
	if _, name, found := strings.Cut(link, "zoneinfo/"); found {
		return name, nil
	}
	if text, err := os.ReadFile(filepath.Join(etc, "timezone")); err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	return "without a name", nil
}

func zoneOfTZ(tz string) (string, error) {
	name := strings.TrimPrefix(tz, ":")
	switch {
	case name == "":
		return "UTC", nil
	case filepath.IsAbs(name):
		if _, err := os.Stat(name); err != nil {
			return "", fmt.Errorf("TZ=%s: %w", tz, cause(err))
		}
		return name, nil
	}
	if _, err := time.LoadLocation(name); err != nil {
		return "", fmt.Errorf("TZ=%s is no time zone that is known", tz)
	}
	return name, nil
}
