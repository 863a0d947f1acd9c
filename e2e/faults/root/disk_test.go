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

// A disk that hangs, such as a network drive that has lost its server, holds up
// nobody for longer than the timeout.
func TestHungDisk(t *testing.T) {
	for _, folder := range []string{".aws", ".ecr"} {
		t.Run(folder, func(t *testing.T) {
			env, fault := testenv.WithKeys(t), testenv.NewFault(t)
			env.Set("AWS_ECR_TIMEOUT=1s")
			hang(t, filepath.Join(env.Home, folder))
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

// So with the timeout that the map sets.
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

// A host that isn't ECR's is nobody's business, and the disks with what is for AWS are
// left alone.
func TestHungDiskAndOtherHosts(t *testing.T) {
	env := testenv.New(t)
	env.Write(t, ".ecr/config.toml", "")
	for _, folder := range []string{".aws", ".ecr/tokens", ".ecr/log"} {
		hang(t, filepath.Join(env.Home, folder))
	}
	for _, verb := range []string{"get", "erase"} {
		want := map[string]int{"get": 1}[verb]
		if r := env.Run(t, verb, "docker.io"); r.Status != want || r.Stderr != "" {
			t.Errorf("%s: status %d, stderr %q", verb, r.Status, r.Stderr)
		}
	}
}

// A person waits no longer at one, and is told for what.
func TestHungDiskAndCommands(t *testing.T) {
	for _, folder := range []string{".aws", ".ecr", ".docker"} {
		for _, verb := range []string{"doctor " + testenv.Host, "whoami " + testenv.Host, "configure " + testenv.Host, "cache list"} {
			t.Run(folder+"/"+verb, func(t *testing.T) {
				env, fault := testenv.WithKeys(t), testenv.NewFault(t)
				env.Set("AWS_ECR_TIMEOUT=1s", "NO_COLOR=1")
				hang(t, filepath.Join(env.Home, folder))
				r := env.Run(t, verb, "")
				fault.Count(t, r, nil)
				said := r.Stdout + r.Stderr
				if hangs := strings.Contains(said, "not done within"); r.Took > 6*time.Second || hangs != (r.Status == 1 && r.Took > 900*time.Millisecond) {
					fault.Errorf(t, "status %d, stdout %q, stderr %q, after %v", r.Status, r.Stdout, r.Stderr, r.Took)
				}
				if reads := map[string]string{".aws": "doctor whoami", ".ecr": "doctor whoami configure cache", ".docker": "doctor configure"}[folder]; strings.Contains(reads, strings.Fields(verb)[0]) && !strings.Contains(said, "not done within") {
					fault.Errorf(t, "it says nothing of the disk: %q", said)
				}
			})
		}
	}
}

// At a terminal configure tells, too, what it waits for.
func TestHungDiskAtTerminal(t *testing.T) {
	env := testenv.WithKeys(t)
	env.Set("AWS_ECR_TIMEOUT=1s")
	hang(t, filepath.Join(env.Home, ".docker"))
	shown := env.RunAtTerminal(t, "configure "+testenv.Host, "")
	if !strings.Contains(shown, "reading the clients' configuration …\r") || !strings.Contains(shown, "not done within 2s, while reading the clients' configuration") {
		t.Errorf("it shows %q", shown)
	}
}

// hang mounts a file system of which no request is ever answered.
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
		device.Close() // ends what still waits
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}
