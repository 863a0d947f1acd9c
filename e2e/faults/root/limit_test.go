package root

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// With few file descriptors, short files or a small stack, a get prints a token or a clear error,
// and the next one succeeds.
func TestLimits(t *testing.T) {
	prlimit, err := exec.LookPath("prlimit")
	testenv.Must(t, err)
	for _, limit := range []string{
		"--nofile=3", "--nofile=4", "--nofile=5", "--nofile=6", "--nofile=7", "--nofile=8", "--nofile=10", "--nofile=16",
		"--fsize=0", "--fsize=100", "--core=0", "--stack=65536", "--memlock=0", "--data=2000000000",
	} {
		t.Run(limit, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			for range 2 {
				fault.Check(t, env, env.Run(t, "get", testenv.Host, prlimit, limit), testenv.UserARN)
			}
			fault.MustGet(t, env, testenv.UserARN)
			fault.Check(t, env, env.Run(t, "get", testenv.Host, prlimit, limit), testenv.UserARN)
		})
	}
}

// The helper runs with as little memory and as few threads as a container may have. If Go's runtime
// can't start, it prints nothing and breaks nothing.
func TestContainerLimits(t *testing.T) {
	for _, c := range []struct {
		controller, limit string
		enough            bool
	}{
		{"memory", "32M", true},
		{"memory", "16M", true},
		{"memory", "8M", true},
		{"memory", "4M", false},
		{"memory", "2M", false},
		{"memory", "1M", false},
		{"pids", "8", true},
		{"pids", "3", false},
		{"pids", "1", false},
	} {
		t.Run(c.controller+"/"+c.limit, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			enter := group(t, c.controller, c.limit)
			for range 5 {
				r := env.Run(t, "get", testenv.Host, "sh", "-c", "echo $$ >"+enter+`; exec "$0" "$@"`)
				if c.enough || r.Status == 0 {
					if fault.Check(t, env, r, testenv.UserARN) == "" {
						fault.Errorf(t, "no token: %s", r.Stderr)
					}
				} else if fault.Count(t, r, nil); r.Stdout != "" {
					fault.Errorf(t, "it failed and printed %q", r.Stdout)
				}
			}
			fault.MustGet(t, env, testenv.UserARN)
			env.Run(t, "erase", testenv.Host)
			fault.MustGet(t, env, testenv.UserARN)
			fault.CheckLeftovers(t, env)
		})
	}
}

// group makes a control group with a limit until the test ends. It returns the file to which a
// process writes its ID.
func group(t *testing.T, controller, limit string) (enter string) {
	t.Helper()
	const root = "/sys/fs/cgroup"
	name := fmt.Sprintf("ecr-login-test-%d", os.Getpid())
	dir, file := filepath.Join(root, name), controller+".max" // of cgroup v2
	if old, err := os.Stat(filepath.Join(root, controller)); err == nil && old.IsDir() {
		dir, file = filepath.Join(root, controller, name), map[string]string{"memory": "memory.limit_in_bytes", "pids": "pids.max"}[controller]
	} else {
		testenv.Must(t, os.WriteFile(filepath.Join(root, "cgroup.subtree_control"), []byte("+"+controller), 0o644))
	}
	testenv.Must(t, os.Mkdir(dir, 0o755))
	t.Cleanup(func() { testenv.Must(t, os.Remove(dir)) })
	testenv.Must(t, os.WriteFile(filepath.Join(dir, file), []byte(limit), 0o644))
	return filepath.Join(dir, "cgroup.procs")
}
