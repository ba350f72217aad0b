package processes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// accounts that an unprivileged service may run under, best first.
var accounts = []string{"postgres", "nobody"}

// small is the size, in bytes, up to which a service's folder is copied to
// where its account can read it.
const small = 64 << 20

// lower gives the instance another account, the folders that it writes to,
// and a copy of its directory where the account can't read the original (a
// checkout below /root).
func (i *instance) lower(home string) error {
	name, account, err := unprivileged()
	if err != nil {
		return err
	}
	i.account = account
	if err := give(home, account); err != nil {
		return err
	}
	if !reaches(home, account) {
		return fmt.Errorf("account %s, which it runs under, can't enter %s; set TMPDIR to a folder that every account may enter", name, home)
	}
	if reaches(i.directory, account) {
		return nil
	}
	copied := filepath.Join(home, "directory")
	if err := os.RemoveAll(copied); err != nil {
		return err
	}
	if err := fits(i.directory); err != nil {
		return fmt.Errorf("account %s, which it runs under, can't read %s, and it can't be copied: %w", name, i.directory, err)
	}
	if err := os.CopyFS(copied, os.DirFS(i.directory)); err != nil {
		return fmt.Errorf("copy %s for account %s: %w", i.directory, name, err)
	}
	i.directory = copied
	return give(copied, account)
}

func unprivileged() (string, *syscall.Credential, error) {
	for _, name := range accounts {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return "", nil, fmt.Errorf("read account %s: %w", name, err)
		}
		return name, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return "", nil, fmt.Errorf("it must not run as root, and this machine has none of the accounts %v; make one (useradd --system nobody) or run as another user", accounts)
}

// reaches asks the system itself, by entering and reading as the account:
// mode bits don't tell all.
func reaches(dir string, account *syscall.Credential) bool {
	cmd := exec.Command("/bin/sh", "-c", "ls . >/dev/null")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account}
	return cmd.Run() == nil
}

func fits(dir string) error {
	var size int64
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if size += info.Size(); size > small {
			return fmt.Errorf("it is larger than %d MiB", small>>20)
		}
		return nil
	})
}

func give(dir string, account *syscall.Credential) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(account.Uid), int(account.Gid))
	})
}
