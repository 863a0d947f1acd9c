package config

import (
	"os"
	"os/user"
	"path"
	"strconv"
)

// FindHome returns HOME if that is an absolute path, else the home of the user's entry in
// /etc/passwd, else nothing. It is never a relative path: a file in the working directory belongs to
// whoever wrote the CI job.
func FindHome(env Env) string {
	if home := env.Home(); home != "" {
		return home
	}
	entry, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil || !path.IsAbs(entry.HomeDir) {
		return ""
	}
	return path.Clean(entry.HomeDir)
}
