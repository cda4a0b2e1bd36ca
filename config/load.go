package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/adrg/xdg"

	"github.com/rotaqueue/rota"
)

// Origin is how far ahead a value goes: a greater one wins.
type Origin int

// The origins of values, the least first.
const (
	FromDefault Origin = iota
	FromSystem         // /etc/rota/rota.toml
	FromUser           // $XDG_CONFIG_HOME/rota/rota.toml
	FromEnv
	FromFlag
)

// Flag is a setting given on the command line.
type Flag struct {
	Key  string // "tls.cert"
	Name string // "--tls-cert"
	Text string
}

// Loader says where settings come from.
type Loader struct {
	System string // the least file; empty: none
	User   string // the file before it; empty: none
	Getenv Getenv
	Flags  []Flag
}

// Setting is one value as it came out, and where it came from.
type Setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"` // "default", "/etc/rota/rota.toml:3", "ROTA_SLOTS", "--slots"
	About  string `json:"about"`
	Origin Origin `json:"-"`
}

// Settings are all of them, in the order of the documentation.
type Settings []Setting

// Standard reads from the files, and the environment, of this process.
func Standard() Loader {
	return Loader{System: "/etc/rota/rota.toml", User: UserFile(os.LookupEnv), Getenv: os.LookupEnv}
}

// UserFile is the user's own configuration file.
func UserFile(getenv Getenv) string {
	if home, ok := getenv("XDG_CONFIG_HOME"); ok && filepath.IsAbs(home) {
		return filepath.Join(home, "rota", "rota.toml")
	}
	return filepath.Join(xdg.ConfigHome, "rota", "rota.toml")
}

// Load reads everything. The Config is resolved: every field has its value.
func (l Loader) Load() (Config, Settings, error) {
	var c Config
	out := make(Settings, len(settings))
	for i, s := range settings {
		out[i] = Setting{Key: s.key, About: s.about, Source: "default"}
	}
	for _, f := range []struct {
		path   string
		origin Origin
	}{{l.System, FromSystem}, {l.User, FromUser}} {
		if err := l.loadFile(&c, out, f.path, f.origin); err != nil {
			return c, nil, err
		}
	}
	if err := l.loadEnv(&c, out); err != nil {
		return c, nil, err
	}
	if err := l.loadFlags(&c, out); err != nil {
		return c, nil, err
	}
	c = c.Resolve(l.Getenv)
	for i, s := range settings {
		out[i].Value = s.shown(&c)
	}
	return c, out, nil
}

func (l Loader) loadFile(c *Config, out Settings, path string, origin Origin) error {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return nil
	}
	if err != nil {
		return rota.Errorf(rota.ErrInvalid, "configuration: %v", err).WithFix("make %s readable, or remove it", path)
	}
	entries, err := parseFile(path, string(text))
	if err != nil {
		return err
	}
	for _, e := range entries {
		i := indexOf(e.key)
		if i < 0 {
			return unknownKey(e)
		}
		if err := put(c, out, i, e.text, e.source(), filepath.Dir(path), origin); err != nil {
			return err
		}
	}
	return nil
}

func (l Loader) loadEnv(c *Config, out Settings) error {
	for i, s := range settings {
		if text, ok := l.Getenv(s.env()); ok && text != "" {
			if err := put(c, out, i, text, s.env(), "", FromEnv); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l Loader) loadFlags(c *Config, out Settings) error {
	for _, f := range l.Flags {
		i := indexOf(f.Key)
		if i < 0 {
			panic("config: flag " + f.Name + " names no setting: " + f.Key)
		}
		if err := put(c, out, i, f.Text, f.Name, "", FromFlag); err != nil {
			return err
		}
	}
	return nil
}

func indexOf(key string) int {
	return slices.IndexFunc(settings, func(s setting) bool { return s.key == key })
}

// put sets a value; folder is where a relative path is meant from, empty for the working folder.
func put(c *Config, out Settings, i int, text, source, folder string, origin Origin) error {
	s := settings[i]
	if s.path && text != "" {
		var err error
		if _, list := s.field(c).(*[]string); list {
			text, err = absoluteAll(text, folder)
		} else {
			text, err = absolute(text, folder)
		}
		if err != nil {
			return rota.Invalid("%s: %s: %v", source, s.key, err)
		}
	}
	if err := setText(s.field(c), text); err != nil {
		return rota.Invalid("%s: %s: %v", source, s.key, err)
	}
	out[i].Source, out[i].Origin = source, origin
	return nil
}

func absolute(path, folder string) (string, error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, err := os.UserHomeDir()
		return filepath.Join(home, rest), err
	}
	if folder != "" && !filepath.IsAbs(path) {
		return filepath.Join(folder, path), nil
	}
	return filepath.Abs(path)
}

// absoluteAll is absolute for each path of a list.
func absoluteAll(text, folder string) (string, error) {
	paths := parseList(text)
	for i := range paths {
		var err error
		if paths[i], err = absolute(paths[i], folder); err != nil {
			return "", err
		}
	}
	return strings.Join(paths, ","), nil
}

// Of is the setting with a key.
func (s Settings) Of(key string) Setting {
	for _, one := range s {
		if one.Key == key {
			return one
		}
	}
	return Setting{}
}
