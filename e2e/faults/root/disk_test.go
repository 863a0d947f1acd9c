package root

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// A disk that hangs, such as a network drive without its server, delays a get no longer than the
// timeout.
func TestHungDisk(t *testing.T) {
	for _, dir := range []string{".aws", ".ecr"} {
		t.Run(dir, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			env.Set("AWS_ECR_TIMEOUT=1s")
			hang(t, filepath.Join(env.Home, dir))
			r := env.Run(t, "get", testenv.Host)
			fault.Count(t, r, nil)
			if r.Status != 1 || r.Stdout != testenv.NotFound || !testenv.IsClearError(r.Stderr) || !strings.Contains(r.Stderr, "not done within 1s") {
				fault.Errorf(t, "get: status %d, stdout %q, stderr %q", r.Status, r.Stdout, r.Stderr)
			}
			r = env.Run(t, "list", "")
			fault.Count(t, r, nil)
			if r.Status != 0 || r.Stdout != "{}\n" {
				fault.Errorf(t, "list: status %d, stdout %q", r.Status, r.Stdout)
			}
		})
	}
}

// The same with the timeout of the registry map.
func TestHungDiskAndMap(t *testing.T) {
	env := testenv.WithKeys(t)
	env.Set("AWS_ECR_TIMEOUT")
	env.Write(t, ".ecr/config.toml", `timeout = "1s"`)
	cache := filepath.Join(env.Home, "cache")
	env.Set("AWS_ECR_CACHE_DIR=" + cache)
	hang(t, cache)
	if r := env.Run(t, "get", testenv.Host); r.Status != 1 || !strings.Contains(r.Stderr, "not done within 1s") || r.Took > 6*time.Second {
		t.Errorf("get: status %d, stderr %q, after %v", r.Status, r.Stderr, r.Took)
	}
}

// For a host that isn't ECR, the helper doesn't use the disks of the AWS files and of the cache.
func TestHungDiskAndOtherHosts(t *testing.T) {
	env := testenv.New(t)
	env.Write(t, ".ecr/config.toml", "")
	for _, dir := range []string{".aws", ".ecr/tokens", ".ecr/log"} {
		hang(t, filepath.Join(env.Home, dir))
	}
	for _, verb := range []string{"get", "erase"} {
		want := map[string]int{"get": 1}[verb]
		if r := env.Run(t, verb, "docker.io"); r.Status != want || r.Stderr != "" {
			t.Errorf("%s: status %d, stderr %q", verb, r.Status, r.Stderr)
		}
	}
}

// Commands that a user types end at their timeout, too, and say what hangs.
func TestHungDiskAndCommands(t *testing.T) {
	for _, dir := range []string{".aws", ".ecr", ".docker"} {
		for _, verb := range []string{"doctor " + testenv.Host, "whoami " + testenv.Host, "configure " + testenv.Host, "cache list"} {
			t.Run(dir+"/"+verb, func(t *testing.T) {
				env, fault := testenv.WithKeys(t), testenv.NewFault(t)
				env.Set("AWS_ECR_TIMEOUT=1s", "NO_COLOR=1")
				hang(t, filepath.Join(env.Home, dir))
				r := env.Run(t, verb, "")
				fault.Count(t, r, nil)
				output := r.Stdout + r.Stderr
				if hangs := strings.Contains(output, "not done within"); r.Took > 6*time.Second || hangs != (r.Status == 1 && r.Took > 900*time.Millisecond) {
					fault.Errorf(t, "status %d, stdout %q, stderr %q, after %v", r.Status, r.Stdout, r.Stderr, r.Took)
				}
				if reads := map[string]string{".aws": "doctor whoami", ".ecr": "doctor whoami configure cache", ".docker": "doctor configure"}[dir]; strings.Contains(reads, strings.Fields(verb)[0]) && !strings.Contains(output, "not done within") {
					fault.Errorf(t, "it does not mention the disk: %q", output)
				}
			})
		}
	}
}

// At a terminal, configure shows what it waits for.
func TestHungDiskAtTerminal(t *testing.T) {
	env := testenv.WithKeys(t)
	env.Set("AWS_ECR_TIMEOUT=1s")
	hang(t, filepath.Join(env.Home, ".docker"))
	shown := env.RunAtTerminal(t, "configure "+testenv.Host, "")
	if !strings.Contains(shown, "reading the clients' configuration …\r") || !strings.Contains(shown, "not done within 2s, while reading the clients' configuration") {
		t.Errorf("it shows %q", shown)
	}
}

// hang mounts a file system that never answers a request.
func hang(t *testing.T, dir string) {
	t.Helper()
	testenv.Must(t, os.MkdirAll(dir, 0o700))
	device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	testenv.Must(t, err)
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d", device.Fd(), os.Getuid(), os.Getgid())
	if err := unix.Mount("hung", dir, "fuse", 0, options); err != nil {
		device.Close()
		t.Fatalf("mount (needs root): %v", err)
	}
	t.Cleanup(func() {
		device.Close() // ends waiting requests
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}
