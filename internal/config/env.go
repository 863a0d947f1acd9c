package config

import (
	"path"
	"slices"
	"strings"
)

// Env is an environment in the form of os.Environ.
type Env []string

// Get returns the value of a variable, empty if it isn't set.
func (e Env) Get(name string) string {
	for _, kv := range e {
		if len(kv) > len(name) && kv[len(name)] == '=' && kv[:len(name)] == name {
			return kv[len(name)+1:]
		}
	}
	return ""
}

// Has reports whether a variable is set, even to nothing.
func (e Env) Has(name string) bool {
	return slices.ContainsFunc(e, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
}

// Home returns HOME if that is an absolute path, else nothing.
func (e Env) Home() string {
	if home := e.Get("HOME"); path.IsAbs(home) {
		return path.Clean(home)
	}
	return ""
}
