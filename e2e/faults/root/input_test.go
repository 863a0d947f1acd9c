package root

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// A file that AWS's configuration names is a device without an end, a pipe without a writer, a
// directory, or too large. The helper prints a clear error in time and needs no more memory than
// usual.
func TestConfigurationFile(t *testing.T) {
	for _, name := range []string{
		"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE", "SSL_CERT_FILE",
	} {
		for kind, put := range map[string]func(path string) error{
			"a device":    func(path string) error { return unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 5))) },
			"a pipe":      func(path string) error { return unix.Mkfifo(path, 0o600) },
			"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
			"1 GB":        func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<30)) },
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				env, fault := testenv.WithKeys(t), testenv.NewFault(t)
				if name == "AWS_WEB_IDENTITY_TOKEN_FILE" {
					env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ROLE_ARN="+testenv.PullRole)
				}
				if name == "SSL_CERT_FILE" {
					env.Set("AWS_CA_BUNDLE")
				}
				file := filepath.Join(env.Home, "input")
				testenv.Must(t, put(file))
				env.Set(name+"="+file, "AWS_ECR_TIMEOUT=2s")
				// The limit is of address space, of which Go's runtime takes most.
				r := env.Run(t, "get", testenv.Host, "prlimit", "--as=2500000000")
				if kind == "a pipe" {
					// A program might be about to write to the pipe, so the timeout ends the get.
					fault.Count(t, r, nil)
					if r.Status != 1 || r.Stdout != testenv.NotFound || !testenv.IsClearError(r.Stderr) || r.Took > 10*time.Second {
						fault.Errorf(t, "status %d, stdout %q, stderr %q, after %v", r.Status, r.Stdout, r.Stderr, r.Took)
					}
					return
				}
				password := fault.Check(t, env, r, testenv.UserARN)
				if password == "" && !strings.Contains(r.Stderr, file) && !strings.Contains(r.Stderr, "isn't trusted here") {
					fault.Errorf(t, "the file isn't named: %s", r.Stderr)
				}
			})
		}
	}
}

// A line break at the end of a variable is reported and never sent. Files of secrets often end with
// one.
func TestLineBreakInKeys(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		env, fault := testenv.WithKeys(t), testenv.NewFault(t)
		env.Set(name + "=x\n")
		r := env.Run(t, "get", testenv.Host)
		fault.Check(t, env, r, testenv.UserARN)
		if !strings.Contains(r.Stderr, "holds a line break") || len(env.AWS.Requests()) > 0 {
			fault.Errorf(t, "%s: %d requests, stderr %q", name, len(env.AWS.Requests()), r.Stderr)
		}
	}
}

// A credential process that prints without end is stopped.
func TestEndlessProcessOutput(t *testing.T) {
	env, fault := testenv.WithKeys(t), testenv.NewFault(t)
	env.Set("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE=flood")
	env.Write(t, ".aws/config", "[profile flood]\ncredential_process = yes MARKED\n")
	r := env.Run(t, "get", testenv.Host, "prlimit", "--as=2500000000")
	fault.Check(t, env, r, testenv.UserARN)
	if !strings.Contains(r.Stderr, "printed more than 1048576 bytes") {
		fault.Errorf(t, "stderr %q", r.Stderr)
	}
}
