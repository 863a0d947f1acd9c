package config

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// Home is the user's home directory: HOME where it is an absolute path, else
// the one of the user's entry in /etc/passwd, else empty. It is never a relative
// path: a file in the working folder belongs to whoever wrote the CI job.
func Home(env Env) string {
	if home := env.Get("HOME"); filepath.IsAbs(home) {
		return filepath.Clean(home)
	}
	entry, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil || !filepath.IsAbs(entry.HomeDir) {
		return ""
	}
	return filepath.Clean(entry.HomeDir)
}

func ownedByUser(dir string) bool {
	if dir == "" {
		return false
	}
	info, err := os.Stat(dir)
	if err != nil {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Geteuid()
}
