// Package clients runs real clients with the helper's binary and with the library, one file a
// client. AWS is the stand-in. A registry, with ECR's access control, has its ECR name. The test of
// a client that isn't installed fails.
package clients

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker-credential-helpers/credentials"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// The accounts: the runner's own, the one from which its role pulls, and one that lets this role
// read.
const (
	runnerRole = testenv.RunnerRole
	pullRole   = testenv.PullRole

	pullHost   = testenv.Host
	sharedHost = "333333333333.dkr.ecr.ap-south-1.amazonaws.com"
)

// programs are clients that are Go packages, by the name of their process. The results are printed
// as JSON.
var programs = map[string]func(ctx context.Context, args []string) (any, error){
	"gitlab-runner": gitlabRunner,
	"ggcr":          ggcr,
	"ggcr-library":  ggcrLibrary,
}

// TestMain is also the main function of programs. Packages such as docker/cli take home, PATH and
// proxy from the environment of their process, so the test process starts itself with a clean
// environment.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == fileHelper {
		credentials.Serve(fileStore{})
		return
	}
	if run, ok := programs[os.Args[0]]; ok {
		out, err := run(context.Background(), os.Args[1:])
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(out)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	status := m.Run()
	testenv.Clean()
	if all := flag.Lookup("test.run").Value.String() == ""; all && status == 0 {
		if err := checkMatrix(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	os.Exit(status)
}

// onRunner returns an Env on an EC2 instance whose role may assume pullRole, as its credentials
// file says.
func onRunner(t *testing.T) *testenv.Env {
	t.Helper()
	env := testenv.OnInstance(t)
	env.AWS.Grant("333333333333", pullRole)
	// The clients need SSL_CERT_FILE, as the helper needs AWS_CA_BUNDLE.
	env.Set("SSL_CERT_FILE=" + filepath.Join(env.Home, "ca.pem"))
	return env
}

// runTimeout is the time after which a client is killed. A docker build compiles the helper, which
// takes minutes on a busy machine.
const runTimeout = 5 * time.Minute

// output is what a client wrote to stdout and stderr.
type output struct{ stdout, stderr string }

// run runs a client in an Env. The error is that of exec.Cmd.
func run(t *testing.T, env *testenv.Env, stdin io.Reader, path string, args ...string) (output, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, path)
	cmd.Args = args
	cmd.Dir, cmd.Env = env.Home, env.Vars
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%s hangs", strings.Join(args, " "))
	}
	return output{out.String(), errs.String()}, err
}

// runProgram runs one of programs and decodes its result. It returns what the program and the
// helper wrote to stderr.
func runProgram(t *testing.T, env *testenv.Env, report any, args ...string) (stderr string) {
	t.Helper()
	self, err := os.Executable()
	testenv.Must(t, err)
	out, err := run(t, env, nil, self, args...)
	if err == nil {
		err = json.Unmarshal([]byte(out.stdout), report)
	}
	if err != nil {
		t.Fatalf("%s: %v, and on stderr %q", strings.Join(args, " "), err, out.stderr)
	}
	return out.stderr
}

// wantRequests checks how often each action was requested since the last call.
func wantRequests(t *testing.T, env *testenv.Env, when string, want map[string]int) {
	t.Helper()
	got := env.AWS.Counts()
	env.AWS.ResetCounts()
	if !maps.Equal(got, want) {
		t.Errorf("%s: requests %v, want %v", when, got, want)
	}
}

// coldGet are the requests of a get on the runner with an empty cache. With a cached token there
// are none.
var coldGet = map[string]int{
	"imds:token": 1, "imds:roles": 1, "imds:credentials": 1,
	"sts:AssumeRole": 1, "ecr:GetAuthorizationToken": 1,
}

// wantReason checks that stderr is one line that says why the role can't be assumed.
func wantReason(t *testing.T, stderr, role string) {
	t.Helper()
	var err error
	if strings.Count(stderr, "\n") != 1 {
		err = errors.New("not one line")
	}
	for _, part := range []string{testenv.Name, "sts:AssumeRole", role} {
		if !strings.Contains(stderr, part) {
			err = errors.Join(err, fmt.Errorf("no %s", part))
		}
	}
	if err != nil {
		t.Errorf("the reason on stderr is %q: %v", stderr, err)
	}
}
