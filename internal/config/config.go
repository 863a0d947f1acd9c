// Package config reads what the user has set: this helper's environment variables and the registry
// map.
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

// OwnPrefix begins the names of this helper's own environment variables.
const OwnPrefix = "AWS_ECR_"

// defaultTimeout is the timeout unless the user sets another.
const defaultTimeout = 8 * time.Second

// Settings is what the user has set. [Load] fills it.
type Settings struct {
	// Home is the user's home directory: absolute, or empty if there is none.
	Home string
	// CacheDir is the directory of the cache: absolute, or empty for no cache. CacheErr says what is
	// wrong with the directory that was set; then CacheDir is empty.
	CacheDir string
	CacheErr error
	// Timeout bounds every verb, whatever AWS, a lock or a disk does.
	Timeout time.Duration
	// FailOnError is set if the reason of a failed get goes to stdout in place of "credentials not
	// found", so that clients stop on it.
	FailOnError bool
	// Fallback is the helper for other hosts than ECR's, without [HelperPrefix], and FallbackFrom the
	// place that names it. Both are empty if there is none. FallbackErr says why it can't be used.
	Fallback, FallbackFrom string
	FallbackErr            error
	// LogFile is where log lines go, empty for nowhere, and LogLevel how many. LogLevelErr says
	// what is wrong with the level that was set; then it is debug. LogFileErr says what is wrong
	// with the file that was set; then there is no log.
	LogFile, LogLevel       string
	LogFileErr, LogLevelErr error
	// Map holds the principals of registries.
	Map registrymap.Map
}

// Load returns the settings of the environment and of the map. The home is an absolute path, or
// empty if there is none. An error names the variable, or the file and the line, and what can't be
// used; it is a [*registrymap.Error] if that is in the map. The settings are complete all the same,
// with the default in its place.
func Load(env Env, home string) (Settings, error) {
	s := Settings{Home: home, Timeout: defaultTimeout}
	s.LogLevel, s.LogLevelErr = logLevel(env)
	s.CacheDir, s.CacheErr = cacheDir(env, s.Home)
	s.LogFile, s.LogFileErr = logFile(env, s)
	set := map[string]func(where, text string) error{
		"fallback": s.setFallback, "on_error": s.setOnError, "timeout": s.setTimeout,
	}
	var err error
	s.Map, err = readMap(env, registrymap.Options{
		Path:     func(text string) (string, error) { return Path(text, home) },
		Settings: set,
	}, home)
	if role := env.Get(registrymap.RoleVariable); role != "" {
		s.Map.Default.RoleARN = role
		if err := registrymap.CheckRole(role, true); err != nil {
			s.Map.DefaultErr = fmt.Errorf("%s %w", registrymap.RoleVariable, err)
		}
	}
	for _, key := range []string{"fallback", "on_error", "timeout"} { // which win over the map's
		name := OwnPrefix + strings.ToUpper(key)
		if text := env.Get(name); text != "" {
			bad := set[key](name, text)
			if bad != nil && err == nil && key != "fallback" { // that has an error of its own
				err = fmt.Errorf("%s %w", name, bad)
			}
		}
	}
	return s, err
}

// logLevel returns the level that is set, or nothing. An unknown level does not fail a pull: whoever
// set it wants a log, and gets all of it.
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

// Timeout returns the timeout of the environment, without a look at any file.
func Timeout(env Env) time.Duration {
	timeout, _ := parseTimeout(env.Get("AWS_ECR_TIMEOUT"))
	return timeout
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

// cacheDir returns the directory of the cache. It is empty if the cache is turned off, if there is no
// home, or if the home is another user's, as under sudo.
func cacheDir(env Env, home string) (string, error) {
	if env.Get("AWS_ECR_DISABLE_CACHE") != "" {
		return "", nil
	}
	if dir := env.Get("AWS_ECR_CACHE_DIR"); dir != "" {
		return output("AWS_ECR_CACHE_DIR", dir, home)
	}
	return ownDir(env, home), nil
}

// logFile returns the file of the log, empty unless the user has asked for a log.
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

// output returns a path that is written to, or nothing if it is in another user's home.
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

// ownDir returns the directory for what the helper keeps, or nothing if it is in another user's
// home.
//
// Kaniko makes layers of the root file system it runs in, homes included, and empties it between the
// stages of a build. It leaves its own directory alone, so a token there gets into no image and is
// found again.
func ownDir(env Env, home string) string {
	// If a flag moves Kaniko's directory, only this variable shows it.
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
	info, err := os.Stat(dir)
	return err == nil && atomicfile.IsOwn(info)
}
