package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgres is a PostgreSQL server of our own: durable as it is by default, with memory as for a small machine.
type postgres struct {
	*server
	password string
}

func postgresMissing() string {
	if programOfPostgres("postgres") == "" {
		return "postgresql"
	}
	return ""
}

// programOfPostgres is where Debian has it, or in the PATH.
func programOfPostgres(name string) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return found[len(found)-1]
	}
	path, _ := exec.LookPath(name)
	return path
}

func startPostgres(ctx context.Context) (*postgres, error) {
	p := &postgres{password: rand.Text()}
	var err error
	p.server, err = startServer(ctx, programOfPostgres("postgres"), p.initialize, func(dir string, port int) []string {
		return []string{"-D", filepath.Join(dir, "data"), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
			"-c", fmt.Sprint("port=", port), "-c", "max_connections=300", "-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB"}
	})
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(30 * time.Second); ; {
		c, err := pgx.Connect(ctx, p.url(p.password))
		if err == nil {
			return p, c.Close(ctx)
		}
		if ctx.Err() != nil || time.Now().After(end) {
			p.end()
			return nil, err
		}
	}
}

// initialize makes the server's folder, as the user that PostgreSQL accepts.
func (p *postgres) initialize(cmd *exec.Cmd, dir string) error {
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(p.password), 0o600); err != nil {
		return err
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // which ends the rest of it, too
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return err
		}
		uid, wrong := strconv.Atoi(u.Uid)
		gid, wrong2 := strconv.Atoi(u.Gid)
		if err := errors.Join(wrong, wrong2, os.Chown(dir, uid, gid), os.Chown(secret, uid, gid)); err != nil {
			return err
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	init := exec.Command(programOfPostgres("initdb"), "-D", filepath.Join(dir, "data"), "-U", "postgres", "--pwfile="+secret,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C")
	init.Dir, init.SysProcAttr = dir, cmd.SysProcAttr
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// url is that of the database that is there from the beginning, with a password or without.
func (p *postgres) url(password string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Host: p.address, Path: "/postgres", RawQuery: "sslmode=disable"}
	if password != "" {
		u.User = url.UserPassword("postgres", password)
	}
	return u.String()
}
