// Package config reads what the user has set: the environment variables that
// are ours, and where the user's home is.
//
// It is on the path of a warm get and so imports nothing of the AWS SDK.
package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// OwnPrefix begins the environment variables that are this helper's own. They
// never decide whose token is asked for.
const OwnPrefix = "AWS_ECR_"

// DefaultTimeout bounds every verb unless AWS_ECR_TIMEOUT sets another.
const DefaultTimeout = 8 * time.Second

// Settings is what the user has set. [Load] fills it.
type Settings struct {
	// Home is the user's home directory: absolute, or empty where there is none.
	Home string
	// CacheDir is where tokens are kept: absolute, or empty for no cache.
	CacheDir string
	// Timeout bounds every verb, whatever AWS, a lock or a disk does.
	Timeout time.Duration
	// LogFile is where log lines go, empty for nowhere, and LogLevel how many.
	LogFile, LogLevel string
}

// Load reads the settings from the environment. An error names the variable
// and the value that can't be used; the settings are complete all the same,
// with the default in its place.
func Load(env Env) (Settings, error) {
	s := Settings{
		Home:     Home(env),
		LogLevel: strings.ToLower(env.Get("AWS_ECR_LOG_LEVEL")),
	}
	s.CacheDir = cacheDir(env, s.Home)
	s.LogFile = logFile(env, s)
	timeout, err := parseTimeout(env)
	s.Timeout = timeout
	if err != nil {
		return s, err
	}
	switch s.LogLevel {
	case "", "debug", "info", "warn", "error":
	default:
		return s, fmt.Errorf("AWS_ECR_LOG_LEVEL is %q, where only debug, info, warn and error are known", s.LogLevel)
	}
	switch text := env.Get("AWS_ECR_ON_ERROR"); text {
	case "", "not-found", "fail":
	default:
		return s, fmt.Errorf("AWS_ECR_ON_ERROR is %q, where only not-found and fail are known", text)
	}
	return s, nil
}

// FailsLoudly tells whether the reason of a failed get goes to stdout, so that
// clients stop on it, in place of "credentials not found".
func FailsLoudly(env Env) bool { return env.Get("AWS_ECR_ON_ERROR") == "fail" }

// Timeout is the one of [Settings], read without a look at any file.
func Timeout(env Env) time.Duration {
	timeout, _ := parseTimeout(env)
	return timeout
}

func parseTimeout(env Env) (time.Duration, error) {
	text := env.Get("AWS_ECR_TIMEOUT")
	if text == "" {
		return DefaultTimeout, nil
	}
	timeout, err := time.ParseDuration(text)
	if err != nil || timeout <= 0 {
		return DefaultTimeout, fmt.Errorf("AWS_ECR_TIMEOUT is %q, which is no duration such as 8s", text)
	}
	return timeout, nil
}

// IgnoresStorage tells whether credentials may be stored and erased for every
// host, to no effect.
func IgnoresStorage(env Env) bool { return env.Get("AWS_ECR_IGNORE_CREDS_STORAGE") == "true" }

// cacheDir answers empty where nothing may be kept: the cache is turned off,
// there is no home, or the home is somebody else's, as under sudo.
func cacheDir(env Env, home string) string {
	if env.Has("AWS_ECR_DISABLE_CACHE") {
		return ""
	}
	dir := env.Get("AWS_ECR_CACHE_DIR")
	if dir == "" {
		dir = "~/.ecr"
	}
	dir = expand(dir, home)
	if dir == "" {
		return ""
	}
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return ""
}

// logFile names a file only where the user has asked for a log.
func logFile(env Env, s Settings) string {
	file := env.Get("AWS_ECR_LOG_FILE")
	if file == "" && s.LogLevel != "" {
		file = "~/.ecr/log/ecr-login.log"
	}
	return expand(file, s.Home)
}

// expand puts the home in place of a leading "~". A home that isn't the user's
// own is none: nothing is made there.
func expand(path, home string) string {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok || rest != "" && rest[0] != '/' {
		return path
	}
	if !ownedByUser(home) {
		return ""
	}
	return filepath.Join(home, rest)
}

// Env is an environment in the form of os.Environ.
type Env []string

// Get returns the value of a variable, empty where it isn't set.
func (e Env) Get(name string) string {
	value, _ := e.lookup(name)
	return value
}

// Has tells whether a variable is set, were it to nothing.
func (e Env) Has(name string) bool {
	_, ok := e.lookup(name)
	return ok
}

func (e Env) lookup(name string) (string, bool) {
	for _, kv := range e {
		if len(kv) > len(name) && kv[len(name)] == '=' && kv[:len(name)] == name {
			return kv[len(name)+1:], true
		}
	}
	return "", false
}
