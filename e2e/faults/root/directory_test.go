package root

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// mount mounts a file system over a directory of the home until the test ends.
func mount(t *testing.T, dir, fstype, options string, flags uintptr) {
	t.Helper()
	testenv.Must(t, os.MkdirAll(dir, 0o700))
	if err := unix.Mount("none", dir, fstype, flags, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// doctor says why no token can be cached, also before the first one.
func TestDoctorTriesTheCache(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  string
	}{
		"read-only":     {func(t *testing.T, dir string) { mount(t, dir, "tmpfs", "", unix.MS_RDONLY) }, "read-only file system"},
		"a full disk":   {func(t *testing.T, dir string) { mount(t, dir, "tmpfs", "size=4k", 0); fill(t, dir) }, "no space left on device"},
		"no more files": {func(t *testing.T, dir string) { mount(t, dir, "tmpfs", "nr_inodes=1", 0) }, "no space left on device"},
	} {
		t.Run(name, func(t *testing.T) {
			env := testenv.WithKeys(t)
			dir := filepath.Join(env.Home, "kept")
			c.spoil(t, dir)
			env.Set("AWS_ECR_CACHE_DIR=" + filepath.Join(dir, "below"))
			out := env.Run(t, "doctor "+testenv.Host, "").Stdout
			if !strings.Contains(out, "warning  cache      no token is kept: ") || !strings.Contains(out, c.want) {
				t.Errorf("%s", out)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) > 1 {
				t.Errorf("doctor leaves %v, %v", entries, err)
			}
		})
	}
}

// If tokens can't be cached, a get works and prints no message about it.
func TestCacheDirectory(t *testing.T) {
	ecr := func(env *testenv.Env) string { return filepath.Join(env.Home, ".ecr") }
	for name, c := range map[string]struct {
		spoil func(t *testing.T, env *testenv.Env)
		keeps bool // the token is cached
	}{
		"world-writable": {func(t *testing.T, env *testenv.Env) {
			testenv.Must(t, errors.Join(os.MkdirAll(env.TokenDir(), 0o700), os.Chmod(ecr(env), 0o777), os.Chmod(env.TokenDir(), 0o777)))
		}, false},
		"somebody else's": {func(t *testing.T, env *testenv.Env) {
			testenv.Must(t, errors.Join(os.MkdirAll(env.TokenDir(), 0o777), os.Chown(ecr(env), 65534, 65534), os.Chown(env.TokenDir(), 65534, 65534)))
		}, false},
		"read-only":          {func(t *testing.T, env *testenv.Env) { mount(t, ecr(env), "tmpfs", "", unix.MS_RDONLY) }, false},
		"a full disk":        {func(t *testing.T, env *testenv.Env) { mount(t, ecr(env), "tmpfs", "size=4k", 0); fill(t, ecr(env)) }, false},
		"a disk of one page": {func(t *testing.T, env *testenv.Env) { mount(t, ecr(env), "tmpfs", "size=4k", 0) }, true},
		"no more files":      {func(t *testing.T, env *testenv.Env) { mount(t, ecr(env), "tmpfs", "nr_inodes=3", 0) }, false},
		"world-writable above": {func(t *testing.T, env *testenv.Env) {
			testenv.Must(t, errors.Join(os.MkdirAll(ecr(env), 0o700), os.Chmod(ecr(env), 0o777)))
		}, true},
		"a log on a full disk": {func(t *testing.T, env *testenv.Env) {
			env.Set("AWS_ECR_LOG_FILE=" + filepath.Join(env.Home, "full/log"))
			mount(t, filepath.Join(env.Home, "full"), "tmpfs", "size=4k", 0)
			fill(t, filepath.Join(env.Home, "full"))
		}, true},
		"a file":         {func(t *testing.T, env *testenv.Env) { env.Write(t, ".ecr", "") }, false},
		"a file below":   {func(t *testing.T, env *testenv.Env) { env.Write(t, ".ecr/tokens", "") }, false},
		"a FIFO":         {func(t *testing.T, env *testenv.Env) { testenv.Must(t, unix.Mkfifo(ecr(env), 0o600)) }, false},
		"a dead symlink": {func(t *testing.T, env *testenv.Env) { testenv.Must(t, os.Symlink("/nowhere/at/all", ecr(env))) }, false},
		"/proc":          {func(t *testing.T, env *testenv.Env) { mount(t, ecr(env), "proc", "", 0) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			c.spoil(t, env)
			for range 3 {
				fault.MustGet(t, env, testenv.UserARN)
			}
			testenv.Concurrently(5, func(int) { fault.MustGet(t, env, testenv.UserARN) })
			n := env.AWS.Count("ecr:GetAuthorizationToken")
			if c.keeps && n != 1 || !c.keeps && n < 4 {
				fault.Errorf(t, "%d requests for eight gets; keeps: %v", n, c.keeps)
			}
		})
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "full"))
	testenv.Must(t, err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 512))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

// The cache's directory is removed or replaced while the helper waits for AWS.
func TestCacheDirectoryGone(t *testing.T) {
	for name, spoil := range map[string]func(env *testenv.Env) error{
		"removed": func(env *testenv.Env) error { return os.RemoveAll(filepath.Join(env.Home, ".ecr")) },
		"emptied": func(env *testenv.Env) error { return os.RemoveAll(env.TokenDir()) },
		"a file": func(env *testenv.Env) error {
			return errors.Join(os.RemoveAll(env.TokenDir()), os.WriteFile(env.TokenDir(), nil, 0o600))
		},
		"replaced": func(env *testenv.Env) error {
			return errors.Join(os.RemoveAll(env.TokenDir()), os.Mkdir(env.TokenDir(), 0o755))
		},
	} {
		t.Run(name, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			env.AWS.SetLatency(300 * time.Millisecond)
			done := make(chan error)
			go func() {
				err := env.AWS.Await(t.Context(), "ecr:GetAuthorizationToken", 1)
				done <- errors.Join(err, spoil(env))
			}()
			fault.MustGet(t, env, testenv.UserARN)
			testenv.Must(t, <-done)
			env.AWS.SetLatency(0)
			fault.MustGet(t, env, testenv.UserARN)
		})
	}
}
