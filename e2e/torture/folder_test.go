package torture

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"docker-credential-ecr-login/e2e/lab"
)

// mount mounts a file system over a folder of the home for the time of a test.
func mount(t *testing.T, dir, fstype, options string, flags uintptr) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", dir, fstype, flags, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// Where nothing can be kept, or not as it should be, a get works all the same, and says
// nothing of it.
func TestCacheFolder(t *testing.T) {
	ecr := func(l *lab.Lab) string { return filepath.Join(l.Home, ".ecr") }
	for name, c := range map[string]struct {
		spoil func(t *testing.T, l *lab.Lab)
		keeps bool // the token is found again
	}{
		"world-writable": {func(t *testing.T, l *lab.Lab) {
			must(t, errors.Join(os.MkdirAll(tokens(l), 0o700), os.Chmod(ecr(l), 0o777), os.Chmod(tokens(l), 0o777)))
		}, true},
		"somebody else's": {func(t *testing.T, l *lab.Lab) {
			must(t, errors.Join(os.MkdirAll(tokens(l), 0o777), os.Chown(ecr(l), 65534, 65534), os.Chown(tokens(l), 65534, 65534)))
		}, false},
		"read-only":          {func(t *testing.T, l *lab.Lab) { mount(t, ecr(l), "tmpfs", "", unix.MS_RDONLY) }, false},
		"a full disk":        {func(t *testing.T, l *lab.Lab) { mount(t, ecr(l), "tmpfs", "size=4k", 0); fill(t, ecr(l)) }, false},
		"a disk of one page": {func(t *testing.T, l *lab.Lab) { mount(t, ecr(l), "tmpfs", "size=4k", 0) }, true},
		"no more files":      {func(t *testing.T, l *lab.Lab) { mount(t, ecr(l), "tmpfs", "nr_inodes=3", 0) }, false},
		"a file":             {func(t *testing.T, l *lab.Lab) { l.Write(t, ".ecr", "") }, false},
		"a file below":       {func(t *testing.T, l *lab.Lab) { l.Write(t, ".ecr/tokens", "") }, false},
		"a FIFO":             {func(t *testing.T, l *lab.Lab) { must(t, unix.Mkfifo(ecr(l), 0o600)) }, false},
		"a dead symlink":     {func(t *testing.T, l *lab.Lab) { must(t, os.Symlink("/nowhere/at/all", ecr(l))) }, false},
		"/proc":              {func(t *testing.T, l *lab.Lab) { mount(t, ecr(l), "proc", "", 0) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			l, s := withKeys(t), suffer(t)
			c.spoil(t, l)
			for range 3 {
				s.must(t, l, userARN)
			}
			lab.Crowd(5, func(int) { s.must(t, l, userARN) })
			n := l.Cloud.Count("ecr:GetAuthorizationToken")
			if c.keeps && n != 1 || !c.keeps && n < 4 {
				t.Errorf("%d requests for eight gets; keeps: %v", n, c.keeps)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill writes until nothing more can be written.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "full"))
	must(t, err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 512))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

// The folder goes while AWS is being asked.
func TestCacheFolderGone(t *testing.T) {
	for name, spoil := range map[string]func(l *lab.Lab) error{
		"removed": func(l *lab.Lab) error { return os.RemoveAll(filepath.Join(l.Home, ".ecr")) },
		"emptied": func(l *lab.Lab) error { return os.RemoveAll(tokens(l)) },
		"a file": func(l *lab.Lab) error {
			return errors.Join(os.RemoveAll(tokens(l)), os.WriteFile(tokens(l), nil, 0o600))
		},
		"replaced": func(l *lab.Lab) error { return errors.Join(os.RemoveAll(tokens(l)), os.Mkdir(tokens(l), 0o755)) },
	} {
		t.Run(name, func(t *testing.T) {
			l, s := withKeys(t), suffer(t)
			l.Cloud.SetLatency(300 * time.Millisecond)
			done := make(chan error)
			go func() {
				err := l.Cloud.Await(t.Context(), "ecr:GetAuthorizationToken", 1)
				done <- errors.Join(err, spoil(l))
			}()
			s.must(t, l, userARN)
			must(t, <-done)
			l.Cloud.SetLatency(0)
			s.must(t, l, userARN)
		})
	}
}

// A system call fails, as it does on a disk that is broken, full or of a kind that lacks
// it: each in turn, every time it is made.
func TestSystemCall(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("strace is missing (e2e/install installs it): %v", err)
	}
	for _, call := range []string{
		"flock:error=ENOLCK", "flock:error=ENOSYS", "flock:error=EINTR:when=1",
		"renameat:error=EIO", "renameat:error=EROFS", "renameat:error=ENOSPC",
		"mkdirat:error=EROFS", "mkdirat:error=EDQUOT",
		"unlinkat:error=EPERM", "fchmodat:error=EPERM", "fchmod:error=EPERM",
		"getdents64:error=EIO", "newfstatat:error=EIO:when=4+", "fstat:error=EIO",
		"getrandom:error=ENOSYS",
	} {
		t.Run(call, func(t *testing.T) {
			l, s := withKeys(t), suffer(t)
			out := filepath.Join(l.Home, "strace")
			inject := func() {
				t.Helper()
				s.judge(t, l, under(t, l, "get", host, strace, "-f", "-qqq", "-A", "-o", out, "-e", "inject="+call), userARN)
			}
			for range 3 {
				inject()
			}
			s.must(t, l, userARN)
			inject()
			s.must(t, l, userARN)
			if text, err := os.ReadFile(out); err != nil || !strings.Contains(string(text), "(INJECTED)") {
				t.Errorf("it never made the call: %v", err)
			}
		})
	}
}
