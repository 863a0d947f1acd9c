// Package fallback runs another credential helper, such as docker-credential-secretservice, for
// hosts that aren't ECR's.
package fallback

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
	"time"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/credhelper"
)

// callerVariable is set for a fallback helper. If that is a copy of this helper, or a helper that
// calls it, this helper must not call it again.
const callerVariable = config.OwnPrefix + "INSIDE_FALLBACK"

const (
	// maxStdout is more bytes than any answer of a helper has.
	maxStdout = 1 << 20
	// maxStderr is how many bytes of its stderr are kept.
	maxStderr = 4 << 10
)

var errTooMuch = errors.New("too much output")

// List returns the servers that the fallback helper of the settings has credentials for, and their
// users; none without a fallback. The error says why the helper can't be used.
func List(ctx context.Context, env config.Env, settings config.Settings) (hosts map[string]string, err error) {
	if settings.Fallback == "" {
		return nil, settings.FallbackErr
	}
	output, err := Run(ctx, env, settings, "list", "unused")
	if err != nil {
		return nil, err
	}
	if !output.OK {
		return nil, fmt.Errorf("%s%s lists nothing: %s", config.HelperPrefix, settings.Fallback, output.Stderr)
	}
	if err := json.Unmarshal([]byte(output.Stdout), &hosts); err != nil {
		return nil, fmt.Errorf("%s%s lists something else than servers and users", config.HelperPrefix, settings.Fallback)
	}
	return hosts, nil
}

// Run runs a verb of the fallback helper of the settings. An error says why the helper can't be
// used. If the helper says that it has no credentials, that is an Output.
func Run(ctx context.Context, env config.Env, settings config.Settings, verb, input string) (credhelper.Output, error) {
	if settings.FallbackErr != nil {
		return credhelper.Output{}, settings.FallbackErr
	}
	output, err := run(ctx, env, settings.Fallback, verb, input)
	if err != nil {
		err = fmt.Errorf("%s: %w", settings.FallbackFrom, err)
	}
	return output, err
}

func run(ctx context.Context, env config.Env, name, verb, input string) (credhelper.Output, error) {
	path, err := find(env, config.HelperPrefix+name)
	if err != nil {
		return credhelper.Output{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stdout := &limitedBuffer{left: maxStdout, overflow: func() { cancel(errTooMuch) }}
	stderr := &limitedBuffer{left: maxStderr, overflow: func() {}}
	cmd := exec.CommandContext(ctx, path, verb)
	cmd.Env = append(slices.Clip(env), callerVariable+"="+filepath.Base(path))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), stdout, stderr
	cmd.WaitDelay = time.Second // a process that it started may hold its stdout open
	err = cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // the helper itself succeeded
	}
	out := credhelper.Output{Stdout: stdout.text.String(), Stderr: stderr.text.String(), OK: err == nil}
	var exit *exec.ExitError
	switch {
	case context.Cause(ctx) == errTooMuch:
		err = fmt.Errorf("%s printed more than %d bytes to %s and was ended", path, maxStdout, verb)
	case ctx.Err() != nil:
		err = fmt.Errorf("%s gave no answer to %s in time and was ended", path, verb)
	case err == nil:
		return out, nil
	case !errors.As(err, &exit):
		err = fmt.Errorf("%s can't be run: %w", path, err)
	case exit.Exited() && strings.TrimSpace(out.Stdout) != "":
		return out, nil
	default:
		err = fmt.Errorf("%s gave no answer to %s (%v) %s", path, verb, exit, out.Stderr)
	}
	return credhelper.Output{}, err
}

// limitedBuffer keeps the first bytes written to it, and calls overflow if there are more than
// left.
type limitedBuffer struct {
	text     bytes.Buffer
	left     int
	overflow func()
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.text.Write(p[:n])
	b.left -= n
	if n < len(p) {
		b.overflow()
	}
	return len(p), nil
}

// find returns the path of a program on the PATH of this process.
func find(env config.Env, program string) (string, error) {
	if env.Has(callerVariable) {
		return "", fmt.Errorf("%s has called this helper again; its own configuration must not lead back here", env.Get(callerVariable))
	}
	path, err := exec.LookPath(program)
	switch {
	case errors.Is(err, exec.ErrDot):
		return "", fmt.Errorf("%s is on the PATH in the working folder, where anybody may have put it; name absolute folders in PATH", program)
	case err != nil:
		return "", fmt.Errorf("there is no %s on the PATH that can be run; install it", program)
	case IsThisProgram(path):
		return "", fmt.Errorf("%s is this helper itself, under another name; name another helper", path)
	}
	return path, nil
}

// IsThisProgram reports whether a path is the file that this process was started from.
func IsThisProgram(path string) bool {
	self, err := os.Executable()
	if err != nil {
		return false
	}
	a, errA := os.Stat(self)
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}
