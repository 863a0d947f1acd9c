// Package config reads what the user has set: the environment variables that
// are ours, and the registry map.
//
// It is on the path of a warm get and so imports nothing of the AWS SDK.
package config

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"docker-credential-ecr-login/internal/atomicfile"
	"docker-credential-ecr-login/internal/registrymap"
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
	// CacheDir is where tokens are kept: absolute, or empty for no cache. CacheErr says what is wrong
	// with the directory that was set; then there is none.
	CacheDir string
	CacheErr error
	// Timeout bounds every verb, whatever AWS, a lock or a disk does.
	Timeout time.Duration
	// FailOnError is set where the reason of a failed get goes to stdout, so that
	// clients stop on it, in place of "credentials not found".
	FailOnError bool
	// Fallback names the helper that has the credentials of hosts that aren't
	// ECR's, without [HelperPrefix], and FallbackFrom the place that says so. Both
	// are empty where there is none. FallbackErr tells why it can't be used.
	Fallback, FallbackFrom string
	FallbackErr            error
	// LogFile is where log lines go, empty for nowhere, and LogLevel how many. LogLevelErr says
	// what is wrong with the level that was set; then it is debug. LogFileErr says what is wrong
	// with the file that was set; then there is no log.
	LogFile, LogLevel       string
	LogFileErr, LogLevelErr error
	// Map says for registries whom AWS is asked as.
	Map registrymap.Map
}

// Load reads the settings from the environment and the map of a user whose home
// is an absolute path, or empty where there is none. An error names the
// variable, or the file and the line, and what can't be used: a [*registrymap.Error], where
// that is the map. The settings are complete all the same, with the default in its
// place.
func Load(env Env, home string) (Settings, error) {
	s := Settings{
		Home:    home,
		Timeout: DefaultTimeout,
	}
	s.LogLevel, s.LogLevelErr = logLevel(env)
	s.CacheDir, s.CacheErr = cacheDir(env, s.Home)
	s.LogFile, s.LogFileErr = logFile(env, s)
	found, set, err := readMap(env, s.Home)
	s.Map = found
	if bad := s.apply(env, set); err == nil {
		err = bad
	}
	return s, err
}

// apply puts what the map sets into the settings, and in its place what the
// environment does.
func (s *Settings) apply(env Env, set map[string]registrymap.Setting) error {
	chosen := func(key string) registrymap.Setting {
		name := OwnPrefix + strings.ToUpper(key)
		if text := env.Get(name); text != "" {
			return registrymap.Setting{Where: name, Text: text}
		}
		return set[key]
	}
	if fallback := chosen("fallback"); fallback.Text != "" {
		s.Fallback, s.FallbackFrom = fallback.Text, fallback.Where
		if err := checkFallback(fallback.Text); err != nil {
			s.FallbackErr = fmt.Errorf("%s: the fallback %w", fallback.Where, err)
		}
	}
	if role := env.Get(registrymap.RoleVariable); role != "" {
		s.Map.Default.RoleARN = role
		if err := registrymap.CheckRole(role, true); err != nil {
			s.Map.DefaultErr = fmt.Errorf("%s %w", registrymap.RoleVariable, err)
		}
	}
	// First, as it is about the mistakes that follow.
	if onError := chosen("on_error"); onError.Text != "" {
		if err := checkOnError(onError.Text); err != nil {
			return fmt.Errorf("%s %w", onError.Where, err)
		}
		s.FailOnError = onError.Text == "fail"
	}
	if timeout := chosen("timeout"); timeout.Text != "" {
		d, err := parseTimeout(timeout.Text)
		if err != nil {
			return fmt.Errorf("%s %w", timeout.Where, err)
		}
		s.Timeout = d
	}
	return nil
}

// logLevel returns the level that is set, or none. An unknown one is no reason to fail a pull:
// whoever set it wants a log, and gets all of it.
func logLevel(env Env) (string, error) {
	switch level := strings.ToLower(strings.TrimSpace(env.Get("AWS_ECR_LOG_LEVEL"))); level {
	case "", "debug", "info", "warn", "error":
		return level, nil
	case "warning":
		return "warn", nil
	default:
		return "debug", fmt.Errorf("invalid AWS_ECR_LOG_LEVEL %q (want debug, info, warn or error); it counts as debug", level)
	}
}

// Timeout is the one that the environment sets, read without a look at any file.
func Timeout(env Env) time.Duration {
	if timeout, err := parseTimeout(env.Get("AWS_ECR_TIMEOUT")); err == nil {
		return timeout
	}
	return DefaultTimeout
}

// IgnoresStorage reports whether credentials may be stored and erased for every host, to no
// effect. The error names a value that is neither true nor false.
func IgnoresStorage(env Env) (bool, error) {
	const name = "AWS_ECR_IGNORE_CREDS_STORAGE"
	value := env.Get(name)
	if value == "" {
		return false, nil
	}
	ignores, err := strconv.ParseBool(value)
	if err != nil {
		return false, fmt.Errorf("invalid %s %q (want true or false)", name, value)
	}
	return ignores, nil
}

// cacheDir returns nothing where nothing may be kept: the cache is turned off, there is no home, or
// the home is somebody else's, as under sudo.
func cacheDir(env Env, home string) (string, error) {
	if env.Get("AWS_ECR_DISABLE_CACHE") != "" {
		return "", nil
	}
	if dir := env.Get("AWS_ECR_CACHE_DIR"); dir != "" {
		return output("AWS_ECR_CACHE_DIR", dir, home)
	}
	return ownDir(env, home), nil
}

// logFile names a file only where the user has asked for a log.
func logFile(env Env, s Settings) (string, error) {
	if file := env.Get("AWS_ECR_LOG_FILE"); file != "" {
		return output("AWS_ECR_LOG_FILE", file, s.Home)
	}
	dir := ownDir(env, s.Home)
	if dir == "" || s.LogLevel == "" {
		return "", nil
	}
	return path.Join(dir, "log/ecr-login.log"), nil
}

// output returns a path that is written to, or nothing where it would be in somebody else's home.
func output(variable, text, home string) (string, error) {
	file, err := Path(text, home)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", variable, err)
	case text[0] == '~' && !ownedByUser(home):
		return "", nil
	}
	return path.Clean(file), nil
}

// ownDir is the directory for what the helper keeps, or empty where it would be in
// somebody else's home.
//
// Kaniko makes layers of the root file system it runs in, homes included, and empties
// that between the stages of a build. What it leaves alone is its own directory: there a
// token gets into no image, and is found again.
func ownDir(env Env, home string) string {
	// Where it is told by its flag to move, Kaniko tells its helpers by this alone.
	moved, _ := strings.CutSuffix(path.Clean(env.Get("DOCKER_CONFIG")), "/.docker")
	for _, dir := range []string{env.Get("KANIKO_DIR"), moved, "/kaniko"} {
		if !path.IsAbs(dir) {
			continue
		}
		if info, err := os.Stat(path.Join(dir, "executor")); err == nil && info.Mode().IsRegular() {
			return path.Join(dir, ".ecr")
		}
	}
	if !ownedByUser(home) {
		return ""
	}
	return path.Join(home, ".ecr")
}

func ownedByUser(dir string) bool {
	if dir == "" {
		return false
	}
	info, err := os.Stat(dir)
	return err == nil && atomicfile.IsOwn(info)
}
