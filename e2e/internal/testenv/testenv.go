// Package testenv holds what all suites need: the programs, built as for a release; an environment
// to run the helper in, with a stand-in for AWS and an empty home; and a count of wrong results.
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

// NotFound is what the helper prints on stdout if it has no credentials.
const NotFound = "credentials not found in native keychain\n"

// BinaryVariable is the environment variable that names the helper's binary. A test process sets
// it for the test process it starts, so that the helper is built once.
const BinaryVariable = "ECR_LOGIN_TEST_BINARY"

// runTimeout is twice the longest timeout that any test sets. A run that takes longer hangs.
const runTimeout = 10 * time.Minute

// Env is an environment to run the helper in.
type Env struct {
	AWS *awstest.Server
	// Home is the home directory, empty but for the CA certificate of the server.
	Home string
	// Vars are the environment variables of the next run. No variable of the test process is
	// among them. With them the helper reaches the server and no other host.
	Vars []string

	bin string
}

// New returns an Env with a new server that knows no principals. The test's cleanup closes it.
func New(t testing.TB) *Env {
	t.Helper()
	server, err := awstest.NewServer()
	Must(t, err)
	t.Cleanup(server.Close)
	return NewIn(t, server, t.TempDir())
}

// NewIn returns an Env with a given server, whose home is a given empty directory.
func NewIn(t testing.TB, server *awstest.Server, home string) *Env {
	t.Helper()
	ca := filepath.Join(home, "ca.pem")
	Must(t, os.WriteFile(ca, server.CAPEM(), 0o600))
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
			// On a busy machine 8 s can be too short, and the SDK's 0.5 s for the metadata
			// service cause retries.
			"AWS_ECR_TIMEOUT=60s",
			"AWS_METADATA_SERVICE_TIMEOUT=60",
		},
	}
}

// Set sets environment variables, NAME=VALUE each. A name without "=" unsets that variable.
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

// Get returns the value of an environment variable, or "" if it isn't set.
func (e *Env) Get(name string) string {
	for _, kv := range e.Vars {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}

// SetBinary sets another binary to run.
func (e *Env) SetBinary(bin string) { e.bin = bin }

// NoTimeouts sets timeouts of minutes. Tests that count requests use it, because a timeout on a
// busy machine causes more requests.
func (e *Env) NoTimeouts() { e.Set("AWS_ECR_TIMEOUT=5m", "AWS_METADATA_SERVICE_TIMEOUT=300") }

// Write writes a file below the home.
func (e *Env) Write(t testing.TB, path, text string) {
	t.Helper()
	Must(t, WriteFile(filepath.Join(e.Home, path), text))
}

// Result is the result of one run of the helper.
type Result struct {
	Stdout, Stderr string
	Status         int
	Took           time.Duration
}

// Run runs the helper. The verb may be followed by arguments, separated by blanks; server is
// written to stdin. If under isn't empty, it is a command to run instead, which gets the helper's
// path, the verb and the arguments as its last arguments.
func (e *Env) Run(t testing.TB, verb, server string, under ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout)
	defer cancel()
	r, err := Capture(e.Command(ctx, verb, server, under...))
	if err = errors.Join(err, ctx.Err()); err != nil {
		t.Errorf("%s %s: %v", verb, server, err)
	}
	return r
}

// Command returns the command that [Env.Run] runs.
func (e *Env) Command(ctx context.Context, verb, server string, under ...string) *exec.Cmd {
	args := slices.Concat(under, []string{e.bin}, strings.Fields(verb))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = e.Home
	cmd.Env = e.Vars
	cmd.Stdin = strings.NewReader(server)
	return cmd
}

// Capture runs a command. An exit status other than 0 is no error.
func Capture(cmd *exec.Cmd) (Result, error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return Result{out.String(), errs.String(), cmd.ProcessState.ExitCode(), time.Since(start)}, err
}

// Password runs a get and returns the password. The test fails if there is none, or if anything is
// on stderr.
func (e *Env) Password(t testing.TB, server string) string {
	t.Helper()
	r := e.Run(t, "get", server)
	password, err := r.Password()
	if err != nil {
		t.Errorf("get %s: %v", server, err)
	}
	return password
}

// Credentials are what a get prints on stdout, in Docker's protocol.
type Credentials struct{ ServerURL, Username, Secret string }

// Credentials returns what a get has printed. The error says that the get failed, printed something
// else, or wrote to stderr.
func (r Result) Credentials() (Credentials, error) {
	var c Credentials
	err := json.Unmarshal([]byte(r.Stdout), &c)
	if err != nil || r.Status != 0 || r.Stderr != "" || c.Username != "AWS" || c.Secret == "" {
		return Credentials{}, fmt.Errorf("status %d, stdout %.60q, stderr %q", r.Status, r.Stdout, r.Stderr)
	}
	return c, nil
}

// Password returns the password of [Result.Credentials].
func (r Result) Password() (string, error) {
	c, err := r.Credentials()
	return c.Secret, err
}

// Concurrently starts n functions at the same moment and returns when all have returned.
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

// Binary returns the path of the helper's binary, which is built once a test process.
func Binary(t testing.TB) string {
	t.Helper()
	bin, err := binary()
	Must(t, err)
	return bin
}

// Clean removes what [Binary] has built. A TestMain calls it last.
func Clean() {
	if bin, err := binary(); err == nil && bin != os.Getenv(BinaryVariable) {
		os.RemoveAll(filepath.Dir(bin))
	}
}
