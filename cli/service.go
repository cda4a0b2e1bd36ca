package cli

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/rotaqueue/rota"
)

// serviceFiles are what a system needs to start the node: for systemd, and for init scripts (LSB).
//
//go:embed service
var serviceFiles embed.FS

type serviceFile struct {
	name string // in serviceFiles
	path string // on the machine
	mode fs.FileMode
}

var (
	systemdFiles = []serviceFile{{"rota.service", "/etc/systemd/system/rota.service", 0o644}, {"rota.socket", "/etc/systemd/system/rota.socket", 0o644}}
	sysvFiles    = []serviceFile{{"rota.init", "/etc/init.d/rota", 0o755}}
)

// service is where the commands of the noun work.
type service struct {
	sysv bool
	root string // another root than the machine's: nothing is run then
}

func (a *app) serviceCommand() *cobra.Command {
	s := &service{}
	all := []*cobra.Command{
		{Use: "install", Short: "Have the machine start the node, and start it", RunE: func(cmd *cobra.Command, _ []string) error { return a.serviceInstall(cmd, s) }},
		{Use: "status", Short: "Say whether the service is installed and runs", RunE: func(cmd *cobra.Command, _ []string) error { return a.serviceStatus(cmd, s) }},
		{Use: "uninstall", Short: "Stop the service, and remove it; data and jobs stay", RunE: func(cmd *cobra.Command, _ []string) error { return a.serviceUninstall(cmd, s) }},
	}
	for _, cmd := range all {
		cmd.Args = exactly()
		cmd.Example = examples("rota service "+cmd.Use, "rota service "+cmd.Use+" --sysv")
		cmd.Flags().BoolVar(&s.sysv, "sysv", false, "by an init script (LSB) instead of systemd")
		cmd.Flags().StringVar(&s.root, "root", "", "write below this `folder`, for packages; nothing is started")
	}
	return nounCommand("service", "The node as a service of the machine", all...)
}

func (s *service) files() []serviceFile {
	if s.sysv {
		return sysvFiles
	}
	return systemdFiles
}

func (s *service) path(f serviceFile) string { return filepath.Join("/", s.root, f.path) }

func (a *app) serviceInstall(cmd *cobra.Command, s *service) error {
	if s.root == "" && os.Geteuid() != 0 {
		return rota.Errorf(rota.ErrDenied, "service install: takes root").WithFix("sudo rota service install")
	}
	program, err := a.deps.Program()
	if err != nil {
		return err
	}
	for _, f := range s.files() {
		text, err := serviceText(f.name, program)
		if err != nil {
			return err
		}
		path := s.path(f)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, f.mode)); err != nil {
			return fileError("service install", err)
		}
		a.note("%s written", path)
	}
	return s.run(cmd, [][]string{{"systemctl", "daemon-reload"}, {"systemctl", "enable", "--now", "rota.socket", "rota.service"}},
		[][]string{{"update-rc.d", "rota", "defaults"}, {"/etc/init.d/rota", "start"}})
}

func serviceText(name, program string) ([]byte, error) {
	t, err := template.New(name).ParseFS(serviceFiles, "service/"+name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]string{"Program": program})
	return b.Bytes(), err
}

// run runs what the machine needs, unless it is another root's.
func (s *service) run(cmd *cobra.Command, systemd, sysv [][]string) error {
	if s.root != "" {
		return nil
	}
	all := systemd
	if s.sysv {
		all = sysv
	}
	for _, argv := range all {
		if _, err := exec.LookPath(argv[0]); err != nil {
			return rota.Errorf(rota.ErrUnsupported, "%s is not on this machine", argv[0]).WithFix("rota service install --sysv, where there is no systemd")
		}
		c := exec.CommandContext(cmd.Context(), argv[0], argv[1:]...)
		c.Stdout, c.Stderr = cmd.ErrOrStderr(), cmd.ErrOrStderr()
		if err := c.Run(); err != nil {
			return rota.Errorf(rota.ErrUnavailable, "%s: %v", strings.Join(argv, " "), err)
		}
	}
	return nil
}

func (a *app) serviceStatus(cmd *cobra.Command, s *service) error {
	for _, f := range s.files() {
		if _, err := os.Stat(s.path(f)); err != nil {
			return rota.Errorf(rota.ErrNotFound, "the service is not installed: %s is not there", s.path(f)).WithFix("rota service install")
		}
	}
	if _, err := fmt.Fprintf(a.out, "installed: %s\n", s.path(s.files()[0])); err != nil {
		return err
	}
	return s.run(cmd, [][]string{{"systemctl", "--no-pager", "status", "rota.service"}}, [][]string{{"/etc/init.d/rota", "status"}})
}

func (a *app) serviceUninstall(cmd *cobra.Command, s *service) error {
	if s.root == "" && os.Geteuid() != 0 {
		return rota.Errorf(rota.ErrDenied, "service uninstall: takes root").WithFix("sudo rota service uninstall")
	}
	stopped := s.run(cmd, [][]string{{"systemctl", "disable", "--now", "rota.socket", "rota.service"}}, [][]string{{"/etc/init.d/rota", "stop"}})
	for _, f := range s.files() {
		if err := os.Remove(s.path(f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fileError("service uninstall", err)
		}
		a.note("%s removed", s.path(f))
	}
	return errors.Join(stopped, s.run(cmd, [][]string{{"systemctl", "daemon-reload"}}, [][]string{{"update-rc.d", "rota", "remove"}}))
}
