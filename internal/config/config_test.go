package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestLoad(t *testing.T) {
	home := t.TempDir()
	load := func(t *testing.T, vars ...string) Settings {
		t.Helper()
		s, err := Load(Env(vars), home)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if got, want := load(t), (Settings{Home: home, CacheDir: home + "/.ecr", Timeout: 8 * time.Second}); !reflect.DeepEqual(got, want) {
		t.Errorf("no variables: got %+v, want %+v", got, want)
	}
	for vars, want := range map[string]string{
		"AWS_ECR_CACHE_DIR=/var/x":                           "/var/x",
		"AWS_ECR_CACHE_DIR=~/x":                              home + "/x",
		"AWS_ECR_CACHE_DIR=~":                                home,
		"AWS_ECR_DISABLE_CACHE=":                             home + "/.ecr",
		"AWS_ECR_DISABLE_CACHE=false":                        "",
		"AWS_ECR_CACHE_DIR=/var/x AWS_ECR_DISABLE_CACHE=yes": "",
		"AWS_ECR_CACHE_DIR=":                                 home + "/.ecr",
	} {
		if got := load(t, strings.Fields(vars)...).CacheDir; got != want {
			t.Errorf("%s: CacheDir = %q, want %q", vars, got, want)
		}
	}
	for vars, want := range map[string]string{
		"AWS_ECR_LOG_FILE=/var/log/x": "/var/log/x",
		"AWS_ECR_LOG_FILE=~/x.log":    home + "/x.log",
		"AWS_ECR_LOG_LEVEL=DEBUG":     home + "/.ecr/log/ecr-login.log",
	} {
		if got := load(t, vars).LogFile; got != want {
			t.Errorf("%s: LogFile = %q, want %q", vars, got, want)
		}
	}
	if !load(t, "AWS_ECR_ON_ERROR=fail").FailOnError || load(t, "AWS_ECR_ON_ERROR=not-found").FailOnError {
		t.Error("AWS_ECR_ON_ERROR isn't followed")
	}
	if got := load(t, "AWS_ECR_TIMEOUT=250ms").Timeout; got != 250*time.Millisecond {
		t.Errorf("Timeout = %v", got)
	}
}

func TestLogLevel(t *testing.T) {
	for value, want := range map[string]string{"": "", "Info": "info", " warning\n": "warn", "loud": "debug"} {
		s, err := Load(Env{"AWS_ECR_LOG_LEVEL=" + value}, "/")
		if err != nil || s.LogLevel != want || (s.LogLevelErr != nil) != (value == "loud") {
			t.Errorf("%q: level %q, %v, %v; want %q", value, s.LogLevel, s.LogLevelErr, err, want)
		}
	}
}

func TestIgnoresStorage(t *testing.T) {
	for value, want := range map[string]bool{"": false, "1": true, "true": true, "TRUE": true, "0": false, "false": false} {
		if got, err := IgnoresStorage(Env{"AWS_ECR_IGNORE_CREDS_STORAGE=" + value}); got != want || err != nil {
			t.Errorf("%q: %v, %v; want %v", value, got, err, want)
		}
	}
	if _, err := IgnoresStorage(Env{"AWS_ECR_IGNORE_CREDS_STORAGE=yes"}); err == nil {
		t.Error("yes is taken, for whatever")
	}
}

func TestLoadNamesTheMistake(t *testing.T) {
	for _, kv := range []string{"AWS_ECR_TIMEOUT=8", "AWS_ECR_TIMEOUT=-1s", "AWS_ECR_ON_ERROR=loud"} {
		name, value, _ := strings.Cut(kv, "=")
		s, err := Load(Env{kv}, "/")
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), value) {
			t.Errorf("%s: error %v names not both", kv, err)
		}
		if s.Timeout != defaultTimeout {
			t.Errorf("%s: settings %+v are not the defaults", kv, s)
		}
	}
}

// Kaniko's own directory is the one that gets into no image.
func TestKanikoDir(t *testing.T) {
	home, kaniko := t.TempDir(), t.TempDir()
	env := Env{"KANIKO_DIR=" + kaniko, "AWS_ECR_LOG_LEVEL=debug"}
	check := func(when string, env Env, dir string) {
		t.Helper()
		s, err := Load(env, home)
		if want := dir + "/log/ecr-login.log"; err != nil || s.CacheDir != dir || s.LogFile != want {
			t.Errorf("%s: cache %q, log %q, %v; want them in %s", when, s.CacheDir, s.LogFile, err, dir)
		}
	}
	check("without Kaniko", env, home+"/.ecr")
	if err := os.WriteFile(filepath.Join(kaniko, "executor"), nil, 0o700); err != nil {
		t.Fatal(err)
	}
	check("beside Kaniko", env, kaniko+"/.ecr")
	check("a directory that isn't absolute", append(Env{"KANIKO_DIR=."}, env[1:]...), home+"/.ecr")
	if s, err := Load(append(env, "AWS_ECR_CACHE_DIR=/var/x"), home); err != nil || s.CacheDir != "/var/x" {
		t.Errorf("what the user says: cache %q, %v", s.CacheDir, err)
	}
	// As --kaniko-dir does it.
	check("moved", Env{"DOCKER_CONFIG=" + kaniko + "/.docker/", "AWS_ECR_LOG_LEVEL=debug"}, kaniko+"/.ecr")
	check("docker's configuration elsewhere", Env{"DOCKER_CONFIG=" + home + "/.docker", "AWS_ECR_LOG_LEVEL=debug"}, home+"/.ecr")
}

// Under sudo, HOME may be another user's: nothing is made there.
func TestNoCacheInAForeignHome(t *testing.T) {
	foreign := "/" // root's
	if os.Geteuid() == 0 {
		foreign = t.TempDir()
		if err := os.Chown(foreign, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	for _, env := range []Env{
		{"AWS_ECR_LOG_LEVEL=debug"},
		{"AWS_ECR_CACHE_DIR=~/x", "AWS_ECR_LOG_FILE=~/y"},
	} {
		if s, _ := Load(env, foreign); s.CacheDir != "" || s.LogFile != "" {
			t.Errorf("%q: cache %q and log %q in a home of somebody else", env, s.CacheDir, s.LogFile)
		}
	}
	if s, _ := Load(nil, filepath.Join(t.TempDir(), "absent")); s.CacheDir != "" {
		t.Errorf("CacheDir = %q in a home that isn't there", s.CacheDir)
	}
}
