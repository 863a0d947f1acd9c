// Package fallback hands what isn't ECR's to another credential helper, such as
// docker-credential-secretservice.
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

// inside is set for a fallback helper. Where that is this helper again, be it a
// copy under another name or a helper that comes back to it, it must not go round.
const inside = config.OwnPrefix + "INSIDE_FALLBACK"

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

// Run runs the fallback helper of the settings with a verb and an input. The error says why it can't
// be used; if it prints that there are no credentials, that is an answer.
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
	out := &limited{left: maxOutput, full: func() { cancel(errTooMuch) }}
	errs := &limited{left: maxStderr, full: func() {}}
	cmd := exec.CommandContext(ctx, path, verb)
	cmd.Env = append(slices.Clip(env), inside+"="+filepath.Base(path))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), out, errs
	cmd.WaitDelay = time.Second // what it has started may hold its stdout open
	err = cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it succeeded itself
	}
	output := credhelper.Output{Stdout: out.text.String(), Stderr: errs.text.String(), OK: err == nil}
	var exit *exec.ExitError
	switch {
	case context.Cause(ctx) == errTooMuch:
		return credhelper.Output{}, fmt.Errorf("%s printed more than %d bytes to %s and was ended", path, maxOutput, verb)
	case ctx.Err() != nil:
		return credhelper.Output{}, fmt.Errorf("%s gave no answer to %s in time and was ended", path, verb)
	case err != nil && !errors.As(err, &exit):
		return credhelper.Output{}, fmt.Errorf("%s can't be run: %w", path, err)
	case err != nil && (!exit.Exited() || strings.TrimSpace(output.Stdout) == ""):
		return credhelper.Output{}, fmt.Errorf("%s gave no answer to %s (%v) %s", path, verb, exit, output.Stderr)
	}
	return output, nil
}

const (
	// maxOutput is more than any helper has to say, and maxStderr more than is
	// shown of what it says besides.
	maxOutput = 1 << 20
	maxStderr = 4 << 10
)

var errTooMuch = errors.New("too much output")

// limited keeps so much of what is written to it, and calls full when there is more.
type limited struct {
	text bytes.Buffer
	left int
	full func()
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.text.Write(p[:n])
	l.left -= n
	if n < len(p) {
		l.full()
	}
	return len(p), nil
}

// find finds a program on the PATH of this process.
func find(env config.Env, program string) (string, error) {
	if env.Has(inside) {
		return "", fmt.Errorf("%s has called this helper again; its own configuration must not lead back here", env.Get(inside))
	}
	path, err := exec.LookPath(program)
	switch {
	case errors.Is(err, exec.ErrDot):
		return "", fmt.Errorf("%s is on the PATH in the working folder, where anybody may have put it; name absolute folders in PATH", program)
	case err != nil:
		return "", fmt.Errorf("there is no %s on the PATH that can be run; install it", program)
	case isThisProgram(path):
		return "", fmt.Errorf("%s is this helper itself, under another name; name another helper", path)
	}
	return path, nil
}

func isThisProgram(path string) bool {
	self, err := os.Executable()
	if err != nil {
		return false
	}
	a, errA := os.Stat(self)
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}
