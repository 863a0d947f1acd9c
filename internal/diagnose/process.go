package diagnose

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
)

// Process says what a credential process has done in place of printing credentials. It is given the
// program, what was printed and the SDK's error, which repeats all that was printed.
func Process(err error, program string, printed []byte) string {
	exit, isExit := errors.AsType[*exec.ExitError](err)
	switch {
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist):
		return "can't be started: there is no sh on PATH"
	case errors.Is(err, context.DeadlineExceeded) || isExit && !exit.Exited():
		return "was ended, since it took too long"
	case isExit && exit.ExitCode() == 127:
		return "failed with exit status 127: " + blamed(program) + " was not found"
	case isExit && exit.ExitCode() == 126:
		return "failed with exit status 126: " + blamed(program) + " can't be executed"
	case isExit:
		return fmt.Sprintf("failed with exit status %d", exit.ExitCode())
	}
	var output struct {
		Version         any
		AccessKeyID     any `json:"AccessKeyId"`
		SecretAccessKey any
	}
	isText := func(v any) bool { s, ok := v.(string); return ok && s != "" }
	switch jsonErr := json.Unmarshal(printed, &output); {
	case len(bytes.TrimSpace(printed)) == 0:
		return "printed nothing"
	case jsonErr != nil:
		return "printed something else than a JSON object"
	case output.Version != float64(1):
		return "printed a JSON object whose Version isn't 1"
	case !isText(output.AccessKeyID):
		return "printed a JSON object without an AccessKeyId"
	case !isText(output.SecretAccessKey):
		return "printed a JSON object without a SecretAccessKey"
	}
	return "printed a JSON object that can't be read as credentials, for example since its Expiration is no time"
}

// plainPath is the path of a program in a form that holds nothing else, such as a secret.
var plainPath = regexp.MustCompile(`^[\w./ +~-]+$`)

// blamed returns the program that can't be run, if that can be known: there may be others in the
// line.
func blamed(program string) string {
	if _, err := exec.LookPath(program); err != nil && plainPath.MatchString(program) {
		return program
	}
	return "a program in it"
}
