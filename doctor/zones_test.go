package doctor

import (
	"os"
	"path/filepath"
	"testing"
)

func TestZonesAreKnown(t *testing.T) {
	if err := tryZones(); err != nil {
		t.Error(err)
	}
}

func TestLocalZone(t *testing.T) {
	unset := func(string) (string, bool) { return "", false }
	tz := func(v string) func(string) (string, bool) { return func(string) (string, bool) { return v, true } }
	linked, named, bare := t.TempDir(), t.TempDir(), t.TempDir()
	zoneinfo := filepath.Join(linked, "zoneinfo", "Europe")
	for _, err := range []error{
		os.MkdirAll(zoneinfo, 0o700),
		os.WriteFile(filepath.Join(zoneinfo, "Berlin"), nil, 0o600),
		os.Symlink(filepath.Join(zoneinfo, "Berlin"), filepath.Join(linked, "localtime")),
		os.WriteFile(filepath.Join(named, "localtime"), nil, 0o600),
		os.WriteFile(filepath.Join(named, "timezone"), []byte("Asia/Tokyo\n"), 0o600),
		os.WriteFile(filepath.Join(bare, "localtime"), nil, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		getenv func(string) (string, bool)
		etc    string
		want   string // empty: an error
	}{
		{"a link", unset, linked, "Europe/Berlin"},
		{"a file and its name", unset, named, "Asia/Tokyo"},
		{"a file alone", unset, bare, "without a name"},
		{"nothing", unset, t.TempDir(), "UTC"},
		{"TZ", tz("Asia/Kolkata"), linked, "Asia/Kolkata"},
		{"TZ with a colon", tz(":Asia/Kolkata"), linked, "Asia/Kolkata"},
		{"TZ, empty", tz(""), linked, "UTC"},
		{"TZ, a file", tz(zoneinfo + "/Berlin"), named, zoneinfo + "/Berlin"},
		{"TZ, no file", tz("/no/such/zone"), linked, ""},
		{"TZ, no zone", tz("Mars/Olympus"), linked, ""},
		{"TZ, a rule", tz("CET-1CEST,M3.5.0,M10.5.0/3"), linked, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := localZone(c.getenv, c.etc)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q, %v: want %q", got, err, c.want)
			}
			if err != nil {
				expect(t, judgeLocal(got, err), Warn, "Rota goes by UTC")
			} else {
				expect(t, judgeLocal(got, err), OK, c.want)
			}
		})
	}
}
