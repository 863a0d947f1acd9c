package root

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// Whatever replaces the file of a token, the next get succeeds, and the one after that finds the
// token in the cache.
func TestTokenFile(t *testing.T) {
	for name, spoil := range map[string]func(path string, whole []byte) error{
		"empty":           func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o600) },
		"truncated":       func(path string, whole []byte) error { return os.WriteFile(path, whole[:len(whole)/2], 0o600) },
		"without its end": func(path string, whole []byte) error { return os.WriteFile(path, whole[:len(whole)-1], 0o600) },
		"null":            func(path string, _ []byte) error { return os.WriteFile(path, []byte("null"), 0o600) },
		"binary":          func(path string, _ []byte) error { return os.WriteFile(path, random(4096), 0o600) },
		"zeros":           func(path string, whole []byte) error { return os.WriteFile(path, make([]byte, len(whole)), 0o600) },
		"1 MB":            func(path string, _ []byte) error { return os.WriteFile(path, random(1<<20), 0o600) },
		"1 MB after it": func(path string, whole []byte) error {
			return os.WriteFile(path, append(whole, random(1<<20)...), 0o600)
		},
		"twice":           func(path string, whole []byte) error { return os.WriteFile(path, append(whole, whole...), 0o600) },
		"readable by all": func(path string, _ []byte) error { return os.Chmod(path, 0o644) },
		"somebody else's": func(path string, _ []byte) error { return os.Chown(path, 65534, 65534) },
		"a directory":     func(path string, _ []byte) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"a full directory": func(path string, _ []byte) error {
			return errors.Join(os.Remove(path), os.MkdirAll(path+"/x/y", 0o700))
		},
		"a FIFO": func(path string, _ []byte) error { return errors.Join(os.Remove(path), unix.Mkfifo(path, 0o600)) },
		"a socket": func(path string, _ []byte) error {
			return errors.Join(os.Remove(path), unix.Mknod(path, unix.S_IFSOCK|0o600, 0))
		},
		"a symlink":        symlinked("elsewhere"),
		"a dead symlink":   func(path string, _ []byte) error { return errors.Join(os.Remove(path), os.Symlink("/nowhere", path)) },
		"a circle of them": func(path string, _ []byte) error { return errors.Join(os.Remove(path), os.Symlink(path, path)) },
		"/dev/zero":        device(5),
		"/dev/full":        device(7),
		"/dev/null":        device(3),
	} {
		t.Run(name, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			old := fault.MustGet(t, env, testenv.UserARN)
			path := env.TokenFile(t)
			whole := testenv.ReadFile(t, path)
			testenv.Must(t, spoil(path, whole))
			if fault.MustGet(t, env, testenv.UserARN) == old {
				fault.Errorf(t, "the old token, from a file that can't be trusted")
			}
			if _, kept := fault.MustGet(t, env, testenv.UserARN), env.AWS.Count("ecr:GetAuthorizationToken"); kept != 2 && name != "a full directory" {
				fault.Errorf(t, "%d requests for three gets: what was saved isn't found", kept)
			}
			if text, err := os.ReadFile(filepath.Join(env.Home, "elsewhere")); err == nil && !bytes.Equal(text, whole) {
				fault.Errorf(t, "it wrote through the symlink")
			}
		})
	}
}

// random returns n random bytes.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// symlinked moves the file elsewhere in the home and puts a symlink in its place.
func symlinked(name string) func(string, []byte) error {
	return func(path string, _ []byte) error {
		away := filepath.Join(filepath.Dir(path), "../..", name)
		return errors.Join(os.Rename(path, away), os.Symlink(away, path))
	}
}

// device replaces a file by a character device.
func device(minor uint32) func(string, []byte) error {
	return func(path string, _ []byte) error {
		return errors.Join(os.Remove(path), unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, minor))))
	}
}

// The same for the file of the lock.
func TestLockFile(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"a directory":    func(path string) error { return os.Mkdir(path, 0o700) },
		"a FIFO":         func(path string) error { return unix.Mkfifo(path, 0o600) },
		"a dead symlink": func(path string) error { return os.Symlink("/nowhere", path) },
		"of mode 0000":   func(path string) error { return os.WriteFile(path, nil, 0) },
		"a device":       func(path string) error { return unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 5))) },
	} {
		t.Run(name, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			fault.MustGet(t, env, testenv.UserARN)
			locks, err := filepath.Glob(filepath.Join(env.TokenDir(), "*.lock"))
			if err != nil || len(locks) != 1 {
				t.Fatalf("locks: %q, %v", locks, err)
			}
			testenv.Must(t, errors.Join(os.Remove(locks[0]), os.Remove(env.TokenFile(t)), spoil(locks[0])))
			testenv.Concurrently(3, func(int) { fault.MustGet(t, env, testenv.UserARN) })
			env.AWS.ResetCounts()
			fault.MustGet(t, env, testenv.UserARN)
			if n := env.AWS.Count("ecr:GetAuthorizationToken"); n != 0 {
				fault.Errorf(t, "what was saved isn't found")
			}
		})
	}
}
