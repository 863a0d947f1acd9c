// Package fallback hands what isn't ECR's to another credential helper, such as
// docker-credential-secretservice.
package fallback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"docker-credential-ecr-login/internal/cli"
	"docker-credential-ecr-login/internal/config"
)

// inside is set for a fallback helper. Where that is this helper again, be it a
// copy under another name or a helper that comes back to it, it must not go round.
const inside = config.OwnPrefix + "INSIDE_FALLBACK"

// Ask runs the helper of that name, which is one without [config.HelperPrefix],
// with a verb and an input. The error tells why it can't be used; where it says
// that there are no credentials, that is an answer.
func Ask(ctx context.Context, env config.Env, name, verb, input string) (cli.Said, error) {
	path, err := find(env, config.HelperPrefix+name)
	if err != nil {
		return cli.Said{}, err
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, path, verb)
	cmd.Env = append(slices.Clip(env), inside+"="+filepath.Base(path))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &errs
	cmd.WaitDelay = time.Second // what it has started may hold its stdout open
	err = cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it succeeded itself
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return cli.Said{}, fmt.Errorf("%s gave no answer to %s in time and was ended", path, verb)
	case err != nil && !errors.As(err, &exit):
		return cli.Said{}, fmt.Errorf("%s can't be run: %w", path, err)
	}
	return cli.Said{Stdout: out.String(), Stderr: errs.String(), OK: err == nil}, nil
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
		return "", fmt.Errorf("there is no %s on the PATH; install it", program)
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
