package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rotaqueue/rota/executor"
)

// memoryFolder is a file system in memory, where there is one.
const memoryFolder = "/dev/shm"

// secretHouse is where a keeper's attempts find secrets that they get as files.
func secretHouse(dir string) string {
	if st, err := os.Stat(memoryFolder); err == nil && st.IsDir() {
		return filepath.Join(memoryFolder, houseName(dir))
	}
	return filepath.Join(dir, "secrets")
}

func (s *slot) secretRoom() string {
	return filepath.Join(secretHouse(s.keeper.dir), strconv.Itoa(s.number))
}

// writeSecrets writes files of secrets, in a folder of who runs the attempt, and says how the environment names them.
func (s *slot) writeSecrets(all []executor.Secret) (env []string, err error) {
	room := s.secretRoom()
	if !s.secrets { // a guest's is there
		if err := ownFolder(filepath.Dir(room)); err != nil {
			return nil, err
		}
		if err := os.RemoveAll(room); err != nil {
			return nil, err
		}
		if err := os.Mkdir(room, 0o700); err != nil {
			return nil, err
		}
		s.secrets = true
	}
	for _, x := range all {
		path := filepath.Join(room, x.Name)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o400)
		if err != nil {
			return nil, err
		}
		_, err = f.WriteString(x.Value)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		env = append(env, SecretVariable(x.Name)+"="+path)
	}
	return env, nil
}

// SecretVariable is the name of the variable that names the file of a secret.
func SecretVariable(name string) string {
	return "ROTA_SECRET_" + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
}

func (s *slot) removeSecrets() {
	if err := os.RemoveAll(s.secretRoom()); err != nil {
		s.keeper.log.Error("secrets of an attempt are left", "folder", s.secretRoom(), "error", err)
	}
	s.secrets = false
}

// ownFolder makes a folder that nobody else can change, below one that everybody can.
func ownFolder(path string) error {
	if err := os.Mkdir(path, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return checkOwn(path)
}

func checkOwn(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(st.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not a folder of ours alone; remove it", path)
	}
	return nil
}

// removeHouse removes a folder outside the keeper's own; one that is not ours is not touched.
func removeHouse(path string) error {
	if checkOwn(path) != nil {
		return nil
	}
	return os.RemoveAll(path)
}
