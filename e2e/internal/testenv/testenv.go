// Package testenv is what all suites need: the programs, built as a release is; a stand-in for AWS,
// a clean home and an environment made from nothing to run the helper in; and a count of what it
// answers while something is wrong.
package testenv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"docker-credential-ecr-login/internal/awstest"
)

// NotFound is what the binary prints if it has no credentials.
const NotFound = "credentials not found in native keychain\n"

// Inherit is the variable by which a test process that starts another one hands
// its binary down.
const BinaryVariable = "ECR_LOGIN_TEST_BINARY"

// A run that takes longer than this hangs: it is twice the longest timeout of any test.
const runTimeout = 10 * time.Minute

// Env is a place to run the binary in.
type Env struct {
	AWS *awstest.Server
	// Home is an empty home, and Env the environment of the next run: a clean
	// one through which the binary reaches nothing but the server.
	Home string
	Vars []string

	bin string
}

// New makes an Env that is gone with the test. The server knows nobody yet.
func New(t testing.TB) *Env {
	t.Helper()
	server, err := awstest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return NewIn(t, server, t.TempDir())
}

// In makes an Env around a Server, with the home in an empty directory.
func NewIn(t testing.TB, server *awstest.Server, home string) *Env {
	t.Helper()
	ca := filepath.Join(home, "ca.pem")
	if err := os.WriteFile(ca, server.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return &Env{
		AWS:  server,
		Home: home,
		bin:  Binary(t),
		Vars: []string{
			"HOME=" + home,
			"PATH=" + filepath.Dir(Binary(t)) + ":/usr/bin:/bin",
			"HTTPS_PROXY=" + server.ProxyURL(),
			"AWS_CA_BUNDLE=" + ca,
			"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + server.MetadataURL(),
			// On a busy machine 8 s can be too short, and the SDK's half a second for the metadata
			// service adds requests.
			"AWS_ECR_TIMEOUT=60s",
			"AWS_METADATA_SERVICE_TIMEOUT=60",
		},
	}
}

// Set adds variables, NAME=VALUE each, to the environment; a name without "="
// is taken out of it.
func (e *Env) Set(vars ...string) {
	for _, kv := range vars {
		name, _, keep := strings.Cut(kv, "=")
		var env []string
		for _, old := range e.Vars {
			if !strings.HasPrefix(old, name+"=") {
				env = append(env, old)
			}
		}
		if keep {
			env = append(env, kv)
		}
		e.Vars = env
	}
}

// Use makes the Env run another binary.
func (e *Env) SetBinary(bin string) { e.bin = bin }

// NoTimeouts makes the binary wait as long as it takes: for tests that count requests, which a
// timeout on a busy machine would add to.
func (e *Env) NoTimeouts() { e.Set("AWS_ECR_TIMEOUT=5m", "AWS_METADATA_SERVICE_TIMEOUT=300") }

// Write writes a file below the home.
func (e *Env) Write(t testing.TB, path, text string) {
	t.Helper()
	path = filepath.Join(e.Home, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Result is what a run of the binary left.
type Result struct {
	Stdout, Stderr string
	Status         int
	Took           time.Duration
}

// Run runs the binary with a verb, its arguments behind blanks, and a server on stdin; or a program that gets it and the
// verb as the last of its arguments, and is to run it.
func (e *Env) Run(t testing.TB, verb, server string, under ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout)
	defer cancel()
	start := time.Now()
	var out, errs bytes.Buffer
	cmd := e.Command(ctx, verb, server, under...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Errorf("%s %s: %v", verb, server, errors.Join(err, ctx.Err()))
	}
	return Result{out.String(), errs.String(), cmd.ProcessState.ExitCode(), time.Since(start)}
}

// Command is what Run runs, ready to be started.
func (e *Env) Command(ctx context.Context, verb, server string, under ...string) *exec.Cmd {
	words := slices.Concat(under, []string{e.bin}, strings.Fields(verb))
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = e.Home
	cmd.Env = e.Vars
	cmd.Stdin = strings.NewReader(server)
	return cmd
}

// Password gets the password for a server, and fails the test where there is
// none or anything is on stderr.
func (e *Env) Password(t testing.TB, server string) string {
	t.Helper()
	r := e.Run(t, "get", server)
	password, err := r.Password()
	if err != nil {
		t.Errorf("get %s: %v", server, err)
	}
	return password
}

// Password is the one the run printed, if it succeeded as it should: with
// nothing on stderr.
func (r Result) Password() (string, error) {
	var c struct{ ServerURL, Username, Secret string }
	err := json.Unmarshal([]byte(r.Stdout), &c)
	if err != nil || r.Status != 0 || r.Stderr != "" || c.Username != "AWS" || c.Secret == "" {
		return "", fmt.Errorf("status %d, stdout %.60q, stderr %q", r.Status, r.Stdout, r.Stderr)
	}
	return c.Secret, nil
}

// Concurrently runs n functions at once and returns when all have ended.
func Concurrently(n int, run func(i int)) {
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-begin
			run(i)
		})
	}
	close(begin)
	wg.Wait()
}

var binary = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv(BinaryVariable); bin != "" {
		return bin, nil
	}
	dir, err := os.MkdirTemp("", "ecr-login-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, Name)
	return bin, BuildHelper(context.Background(), bin)
})

// Binary is the path of the binary, built once a test process as a release is.
func Binary(t testing.TB) string {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// Clean removes what Binary built. A TestMain calls it last.
func Clean() {
	if bin, err := binary(); err == nil && bin != os.Getenv(BinaryVariable) {
		os.RemoveAll(filepath.Dir(bin))
	}
}
