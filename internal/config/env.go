package config

import "path"

// Env is an environment in the form of os.Environ.
type Env []string

// Get returns the value of a variable, empty if it isn't set.
func (e Env) Get(name string) string {
	value, _ := e.lookup(name)
	return value
}

// Has reports whether a variable is set, even to nothing.
func (e Env) Has(name string) bool {
	_, ok := e.lookup(name)
	return ok
}

// Home returns HOME if that is an absolute path, else nothing.
func (e Env) Home() string {
	if home := e.Get("HOME"); path.IsAbs(home) {
		return path.Clean(home)
	}
	return ""
}

func (e Env) lookup(name string) (string, bool) {
	for _, kv := range e {
		if len(kv) > len(name) && kv[len(name)] == '=' && kv[:len(name)] == name {
			return kv[len(name)+1:], true
		}
	}
	return "", false
}
