// Package fallback hands what isn't ECR's to another credential helper, such as
// docker-credential-secretservice.
//
// It is on the path of a warm get and so imports nothing of the AWS SDK.
package fallback

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

	"docker-credential-ecr-login/internal/config"
)

// inside is set for a fallback helper. Where that is this helper again, be it a
// copy under another name or a helper that comes back to it, it must not go round.
const inside = config.OwnPrefix + "INSIDE_FALLBACK"

// Helper is another credential helper on this machine. Use [Find] to get one.
type Helper struct {
	// Program is its name, and path where it is.
	Program, path string
	env           config.Env
}

// Find finds the helper of that name, which is one without
// [config.HelperPrefix], on the PATH of this process. The error tells why it
// can't be used.
func Find(name string, env config.Env) (Helper, error) {
	h := Helper{Program: config.HelperPrefix + name, env: env}
	if env.Has(inside) {
		return h, fmt.Errorf("%s has called this helper again; its own configuration must not lead back here", env.Get(inside))
	}
	path, err := exec.LookPath(h.Program)
	switch {
	case errors.Is(err, exec.ErrDot):
		return h, fmt.Errorf("%s is on the PATH in the working folder, where anybody may have put it; name absolute folders in PATH", h.Program)
	case err != nil:
		return h, fmt.Errorf("there is no %s on the PATH; install it", h.Program)
	}
	h.path = path
	if h.isThisProgram() {
		return h, fmt.Errorf("%s is this helper itself, under another name; name another helper", path)
	}
	return h, nil
}

func (h Helper) isThisProgram() bool {
	self, err := os.Executable()
	if err != nil {
		return false
	}
	a, errA := os.Stat(self)
	b, errB := os.Stat(h.path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// Answer is what a helper left.
type Answer struct {
	Stdout, Stderr string
	// OK is set where its exit status was 0.
	OK bool
}

// Run runs the helper with a verb and an input. The error tells why there is no
// answer; one that says that there are no credentials is an answer.
func (h Helper) Run(ctx context.Context, verb, input string) (Answer, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, h.path, verb)
	cmd.Env = append(h.env[:len(h.env):len(h.env)], inside+"="+filepath.Base(h.path))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &errs
	cmd.WaitDelay = time.Second // what it has started may hold its stdout open
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it succeeded itself
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return Answer{}, fmt.Errorf("%s gave no answer to %s in time and was ended", h.Program, verb)
	case err != nil && !errors.As(err, &exit):
		return Answer{}, fmt.Errorf("%s can't be run: %w", h.Program, err)
	}
	return Answer{out.String(), errs.String(), err == nil}, nil
}
