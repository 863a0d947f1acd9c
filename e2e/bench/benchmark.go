package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

const (
	host = testenv.Host

	// latency is the latency of a request to AWS on another continent.
	latency = 40 * time.Millisecond
)

// benchmark holds what all rows need, and their results.
type benchmark struct {
	ctx      context.Context
	dir      string
	programs programs
	rounds   int

	aws     *awstest.Server
	homes   int
	results []result
	sizes   []size
}

// An environment is a home and environment variables to run a program with.
type environment struct {
	home string
	env  []string
}

// newEnvironment returns an environment with an empty home, in which AWS is the stand-in.
func (b *benchmark) newEnvironment(vars ...string) environment {
	b.homes++
	home := filepath.Join(b.dir, fmt.Sprintf("home%d", b.homes))
	ca := filepath.Join(b.dir, "ca.pem")
	return environment{home, append([]string{
		"HOME=" + home,
		"PATH=/usr/bin:/bin",
		"HTTPS_PROXY=" + b.aws.ProxyURL(),
		// The SDK reads AWS_CA_BUNDLE at every start, which would be a disadvantage of the peer.
		"SSL_CERT_FILE=" + ca,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + b.aws.MetadataURL(),
	}, vars...)}
}

func keys() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + testenv.KeyID, "AWS_SECRET_ACCESS_KEY=" + testenv.Secret}
}

// write writes a file below the home.
func (e environment) write(path, text string) error {
	return testenv.WriteFile(filepath.Join(e.home, path), text)
}

// newServer starts the server of a row. It knows all principals and has no latency.
func (b *benchmark) newServer() error {
	server, err := awstest.NewServer()
	if err != nil {
		return err
	}
	b.aws = server
	server.AddUser(testenv.UserARN, testenv.KeyID, testenv.Secret)
	server.AddRole(awstest.Role{ARN: testenv.RunnerRole})
	server.AddRole(awstest.Role{ARN: testenv.PullRole, Trusts: []string{testenv.RunnerRole, testenv.UserARN}})
	server.SetInstanceRole(testenv.RunnerRole)
	return os.WriteFile(filepath.Join(b.dir, "ca.pem"), append(roots(), server.CAPEM()...), 0o600)
}

// roots returns the CA certificates of this machine, if it has any. Every request to AWS loads
// them.
func roots() []byte {
	text, _ := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	return text
}

// A run is one run of a program.
type run struct {
	program string
	args    []string
	stdin   string // a file
	env     environment
}

// measureRun runs the program and returns the time from the start of the process to its end.
func (b *benchmark) measureRun(r run) (time.Duration, error) {
	stdin, err := os.Open(r.stdin)
	if err != nil {
		return 0, err
	}
	defer stdin.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	cmd := exec.CommandContext(b.ctx, r.program, r.args...)
	cmd.Dir, cmd.Env = r.env.home, r.env.env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, null, null
	start := time.Now()
	err = cmd.Run()
	return time.Since(start), err
}

// output runs the program and returns its stdout, whatever its exit status is.
func (b *benchmark) output(r run) (string, error) {
	stdin, err := os.Open(r.stdin)
	if err != nil {
		return "", err
	}
	defer stdin.Close()
	cmd := exec.CommandContext(b.ctx, r.program, r.args...)
	cmd.Dir, cmd.Env, cmd.Stdin = r.env.home, r.env.env, stdin
	result, err := testenv.Capture(cmd)
	return strings.TrimSpace(result.Stdout), err
}
