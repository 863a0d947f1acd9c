package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"docker-credential-ecr-login/internal/awstest"
)

// The people and hosts of the rows.
const (
	userARN    = "arn:aws:iam::111111111111:user/ci"
	runnerRole = "arn:aws:iam::111111111111:role/runner"
	pullRole   = "arn:aws:iam::222222222222:role/pull"

	keyID  = "AKIAIOSFODNN7EXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

	host = "222222222222.dkr.ecr.ap-south-1.amazonaws.com"

	// latency is that of a request to AWS from another continent.
	latency = 40 * time.Millisecond
)

// ground is where rows are measured.
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

// A place is a home and an environment to run a program in.
type environment struct {
	home string
	env  []string
}

// newPlace makes a place with an empty home, in which AWS is the stand-in.
func (b *benchmark) newEnvironment(vars ...string) environment {
	b.homes++
	home := filepath.Join(b.dir, fmt.Sprintf("home%d", b.homes))
	ca := filepath.Join(b.dir, "ca.pem")
	return environment{home, append([]string{
		"HOME=" + home,
		"PATH=/usr/bin:/bin",
		"HTTPS_PROXY=" + b.aws.ProxyURL(),
		// Not AWS_CA_BUNDLE, which the SDK reads at every start: that would be
		// to the peer's disadvantage.
		"SSL_CERT_FILE=" + ca,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + b.aws.MetadataURL(),
	}, vars...)}
}

func keys() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + keyID, "AWS_SECRET_ACCESS_KEY=" + secret}
}

// write writes a file below the place's home.
func (e environment) write(path, text string) error {
	path = filepath.Join(e.home, path)
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600))
}

// newCloud begins a row: everybody is known, and nothing is slow.
func (b *benchmark) newServer() error {
	server, err := awstest.NewServer()
	if err != nil {
		return err
	}
	b.aws = server
	server.AddUser(userARN, keyID, secret)
	server.AddRole(awstest.Role{ARN: runnerRole})
	server.AddRole(awstest.Role{ARN: pullRole, Trusts: []string{runnerRole, userARN}})
	server.SetInstanceRole(runnerRole)
	return os.WriteFile(filepath.Join(b.dir, "ca.pem"), append(roots(), server.CAPEM()...), 0o600)
}

// roots are the authorities of this machine, whose loading is a part of every
// request; none where it has no bundle.
func roots() []byte {
	text, _ := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	return text
}

// A run is one start of a program.
type run struct {
	program string
	args    []string
	stdin   string // a file
	env     environment
}

// once runs the program and returns how long that took, from the start of the
// process to its end.
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

// output runs the program and returns its stdout, whatever its exit status.
func (b *benchmark) output(r run) (string, error) {
	stdin, err := os.ReadFile(r.stdin)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(b.ctx, r.program, r.args...)
	cmd.Dir, cmd.Env = r.env.home, r.env.env
	cmd.Stdin, cmd.Stdout = bytes.NewReader(stdin), &out
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return strings.TrimSpace(out.String()), err
}
