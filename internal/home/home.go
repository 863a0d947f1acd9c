// Package home finds the user's home directory. It isn't in package config, as os/user starts late,
// and a warm get would have to wait for it.
package home

import (
	"os"
	"os/user"
	"path"
	"strconv"

	"docker-credential-ecr-login/internal/config"
)

// Find returns HOME if that is an absolute path, else the home of the user's entry in
// /etc/passwd, else nothing. It is never a relative path: a file in the working directory belongs to
// whoever wrote the CI job.
func Find(env config.Env) string {
	if home := env.Home(); home != "" {
		return home
	}
	entry, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil || !path.IsAbs(entry.HomeDir) {
		return ""
	}
	return path.Clean(entry.HomeDir)
}
