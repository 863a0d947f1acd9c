package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// processTimeout is the timeout of one process, many times what any needs.
const processTimeout = time.Minute

// A machine is a simulated EC2 instance. It runs programs in its own home, with its own boot ID and
// clock.
type machine struct {
	home string
	env  []string
	// clock is how far the clock was moved.
	clock time.Duration

	starting sync.Mutex
	host     *host

	passwordsMu sync.Mutex
	passwords   map[string]cachedPassword // by registry
}

// A cachedPassword is what the machine's kubelet has in memory.
type cachedPassword struct {
	password string
	until    time.Duration // by the machine's clock
}

func newMachine(home string, env []string) (*machine, error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	m := &machine{home: home, env: append([]string{"HOME=" + home, "PATH=/usr/bin:/bin"}, env...)}
	return m, m.reboot()
}

// write writes a file below the home.
func (m *machine) write(path, text string) error {
	return testenv.WriteFile(filepath.Join(m.home, path), text)
}

// restartKubelet empties the kubelet's memory.
func (m *machine) restartKubelet() { m.passwords = map[string]cachedPassword{} }

// reboot gives the machine another boot ID. It is also called for the first boot.
func (m *machine) reboot() error {
	m.halt()
	m.restartKubelet()
	id := rand.Text()
	if err := m.write("boot/"+id, id+"\n"); err != nil {
		return err
	}
	var err error
	m.host, err = boot(filepath.Join(m.home, "boot", id))
	return err
}

func (m *machine) halt() {
	if m.host != nil {
		m.host.halt()
		m.host = nil
	}
}

// move sets the clock forward, by making the cache of its programs older. No program may be
// running.
func (m *machine) move(to time.Duration) error {
	by := to - m.clock
	m.clock = to
	if by == 0 {
		return nil
	}
	return filepath.WalkDir(filepath.Join(m.home, ".ecr"), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || entry.IsDir():
			return err
		}
		return testenv.Age(path, by)
	})
}

// run runs a program with a text on stdin and returns its stdout.
func (m *machine) run(ctx context.Context, stdin string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, processTimeout)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = m.home, m.env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	m.starting.Lock()
	err := m.host.start(cmd)
	m.starting.Unlock()
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %.60q, %q", filepath.Base(args[0]), err, out.String(), errs.String())
	}
	return out.Bytes(), nil
}

// newMachines makes the machines of a setting in a directory.
func newMachines(s setting, server *awstest.Server, dir string, machines int) ([]*machine, error) {
	ca := filepath.Join(dir, "ca.pem")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(ca, server.CAPEM(), 0o600); err != nil {
		return nil, err
	}
	env := []string{
		"HTTPS_PROXY=" + server.ProxyURL(), "SSL_CERT_FILE=" + ca, "AWS_EC2_METADATA_SERVICE_ENDPOINT=" + server.MetadataURL(),
		// A timeout on a busy machine causes more requests.
		"AWS_METADATA_SERVICE_TIMEOUT=60", "AWS_ECR_TIMEOUT=50s",
	}
	var all []*machine
	for i := range machines {
		m, err := newMachine(filepath.Join(dir, fmt.Sprintf("machine%d", i)), env)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
		if s.credentials == "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(testenv.Root(), s.credentials))
		if err != nil {
			return nil, err
		}
		if err := m.write(".aws/credentials", string(text)); err != nil {
			return nil, err
		}
	}
	return all, nil
}
