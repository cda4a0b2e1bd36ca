package cli

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// placeFlags name a store that is not the node's own: a flag with its place, and one with a file in which that stands.
type placeFlags struct{ name, place, file string }

func (p *placeFlags) register(cmd *cobra.Command, name, about string) {
	p.name = name
	cmd.Flags().StringVar(&p.place, name, "", about)
	cmd.Flags().StringVar(&p.file, name+"-file", "", "`file` in which that stands: for a URL with a password")
}

// given is the place that was named, "" for none.
func (p *placeFlags) given() (string, error) {
	if p.file == "" {
		if err := hidePassword("--"+p.name, p.place, "put the URL into a file and name that with --"+p.name+
			"-file, or the password into the file that PGPASSFILE names"); err != nil {
			return "", err
		}
		return parsePlace("--"+p.name, p.place)
	}
	if p.place != "" {
		return "", rota.Invalid("--%s and --%[1]s-file: one of them says where", p.name)
	}
	text, err := os.ReadFile(p.file)
	if err != nil {
		return "", rota.Invalid("--%s-file: %v", p.name, err)
	}
	if strings.TrimSpace(string(text)) == "" {
		return "", rota.Invalid("--%s-file %s: is empty", p.name, p.file)
	}
	return parsePlace("--"+p.name+"-file", strings.TrimSpace(string(text)))
}

// or is the place that was named, or the other one.
func (p *placeFlags) or(other string) (string, error) {
	place, err := p.given()
	if place == "" {
		place = other
	}
	return place, err
}

// parsePlace reads a place: sqlite:PATH, a path, the data folder of a node, or a database's URL.
func parsePlace(flag, text string) (string, error) {
	if isDatabase(text) || text == "" {
		return text, nil
	}
	path, ok := strings.CutPrefix(text, "sqlite:")
	if scheme, _, found := strings.Cut(text, "://"); !ok && found {
		return "", rota.Invalid("%s: %s:// is no store", flag, scheme).WithFix("write sqlite:PATH or postgres://USER@HOST/DATABASE")
	}
	if path == "" {
		return "", rota.Invalid("%s: sqlite: of which file?", flag).WithFix("write sqlite:PATH")
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "rota.db")
	}
	return path, nil
}

func isDatabase(place string) bool {
	return strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// hidePassword refuses a URL with a password, which does not belong on a command line.
func hidePassword(flag, place, fix string) error {
	u, err := url.Parse(place)
	if err != nil || !isDatabase(place) {
		return nil
	}
	if _, has := u.User.Password(); has || u.Query().Has("password") || u.Query().Has("sslpassword") {
		return rota.Invalid("%s: a password on the command line is seen by everybody on this machine", flag).WithFix("%s", fix)
	}
	return nil
}
