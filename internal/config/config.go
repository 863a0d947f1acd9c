// Package config reads what the user has set: the environment variables that
// are ours, the registry map, and where the user's home is.
//
// It is on the path of a warm get and so imports nothing of the AWS SDK.
package config

import (
	"fmt"
	"os"
	"path"
	"strings"
	"syscall"
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
	// FailsLoudly is set where the reason of a failed get goes to stdout, so that
	// clients stop on it, in place of "credentials not found".
	FailsLoudly bool
	// Fallback names the helper that has the credentials of hosts that aren't
	// ECR's, without [HelperPrefix], and FallbackFrom the place that says so. Both
	// are empty where there is none.
	Fallback, FallbackFrom string
	// LogFile is where log lines go, empty for nowhere, and LogLevel how many.
	LogFile, LogLevel string
	// Map says for registries whom AWS is asked as.
	Map Map
}

// Load reads the settings from the environment and the map of a user whose home
// is an absolute path, or empty where there is none. An error names the
// variable, or the file and the line, and what can't be used; it is a [*MapError]
// where hosts that aren't ECR's are affected. The settings are complete all the
// same, with the default in its place.
func Load(env Env, home string) (Settings, error) {
	s := Settings{
		Home:     home,
		Timeout:  DefaultTimeout,
		LogLevel: strings.ToLower(env.Get("AWS_ECR_LOG_LEVEL")),
	}
	s.CacheDir = cacheDir(env, s.Home)
	s.LogFile = logFile(env, s)
	found, set, err := readMap(env, s.Home)
	if err != nil {
		s.FailsLoudly = env.Get("AWS_ECR_ON_ERROR") == "fail"
		return s, err
	}
	s.Map = found
	return s, s.apply(env, set)
}

// apply puts what the map sets into the settings, and in its place what the
// environment does.
func (s *Settings) apply(env Env, set scalars) error {
	chosen := func(key string) scalar {
		name := OwnPrefix + strings.ToUpper(key)
		if text := env.Get(name); text != "" {
			return scalar{name, text}
		}
		return set[key]
	}
	var errs []error
	if fallback := chosen("fallback"); fallback.text != "" {
		if err := checkFallback(fallback.text); err != nil {
			return &MapError{fallback.where, "the fallback " + err.Error()}
		}
		s.Fallback, s.FallbackFrom = fallback.text, fallback.where
	}
	var err error
	if timeout := chosen("timeout"); timeout.text != "" {
		if s.Timeout, err = parseTimeout(timeout.text); err != nil {
			s.Timeout = DefaultTimeout
			errs = append(errs, fmt.Errorf("%s %w", timeout.where, err))
		}
	}
	if onError := chosen("on_error"); onError.text != "" {
		if s.FailsLoudly, err = parseOnError(onError.text); err != nil {
			errs = append(errs, fmt.Errorf("%s %w", onError.where, err))
		}
	}
	if role := env.Get("AWS_ECR_ROLE_ARN"); role != "" {
		if err := checkRole(role, true); err != nil {
			errs = append(errs, fmt.Errorf("AWS_ECR_ROLE_ARN %w", err))
		} else {
			s.Map.Others = Principal{RoleARN: role}
		}
	}
	switch s.LogLevel {
	case "", "debug", "info", "warn", "error":
	default:
		errs = append(errs, fmt.Errorf("AWS_ECR_LOG_LEVEL is %q, where only debug, info, warn and error are known", s.LogLevel))
	}
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}

// Timeout is the one that the environment sets, read without a look at any file.
func Timeout(env Env) time.Duration {
	if timeout, err := parseTimeout(env.Get("AWS_ECR_TIMEOUT")); err == nil {
		return timeout
	}
	return DefaultTimeout
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
	if path.IsAbs(dir) {
		return path.Clean(dir)
	}
	here, err := os.Getwd()
	if err != nil {
		return ""
	}
	return path.Join(here, dir)
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
func expand(file, home string) string {
	rest, ok := strings.CutPrefix(file, "~")
	if !ok || rest != "" && rest[0] != '/' {
		return file
	}
	if !ownedByUser(home) {
		return ""
	}
	return path.Join(home, rest)
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
