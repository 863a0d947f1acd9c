package awsapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"

	"docker-credential-ecr-login/cache"
)

// processTime is what a credential process gets: it may have to ask a person.
const processTime = time.Minute

// runProcess runs the chain's credential process and puts what stands on it on
// top. The SDK would give the process our stdin, which is the client's, and our
// stderr; and its options don't reach the command.
func (c *chain) runProcess(ctx context.Context) error {
	line, program := c.processLine()
	if relativePath.MatchString(program) {
		return c.processFailure(fmt.Sprintf("names the program %q, which is relative to the working directory", program))
	}
	c.request.ExtendDeadline(processTime)
	// Not behind a cache, which would let the process outlive the context.
	said := &atMost{left: maxInput}
	value, err := processcreds.NewProviderCommand(
		c.quietCommand(line, said),
		func(o *processcreds.Options) { o.Timeout = processTime },
	).Retrieve(ctx)
	switch {
	case said.left < 0:
		return c.processFailure(fmt.Sprintf("printed more than %d bytes", maxInput))
	case err != nil:
		return c.processFailure(processProblem(err, program, said.text.Bytes()))
	case value.Expired():
		return c.processFailure("printed credentials that have expired")
	}
	c.resolved = append(c.resolved, value)
	c.standOn(credentials.StaticCredentialsProvider{Value: value})
	return nil
}

// processLine returns the command line as it stands in the file, with the quotes in which AWS
// documents the program and each argument, and the program. The SDK's reader takes a first and a
// last quote away, be they a pair or not.
// https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sourcing-external.html
func (c *chain) processLine() (line, program string) {
	line = c.lastProfile().CredentialProcess
	if n := len(c.profileChain); n > 0 {
		raw := c.profileChain[n-1].Raw("credential_process")
		if word, rest := firstWord(raw); len(raw) == len(line)+2 && !strings.HasPrefix(word, raw[:1]) {
			// A whole line in quotes is a program with a blank in its name or, as the SDK has it, a line.
			if _, err := os.Stat(word); err == nil || rest != "" {
				return raw, word
			}
		}
	}
	program, _ = firstWord(line)
	return line, program
}

// firstWord returns the first word of a command line, which may be in quotes, and what is behind it.
func firstWord(line string) (word, rest string) {
	line = strings.TrimSpace(line)
	if line != "" && (line[0] == '"' || line[0] == '\'') {
		if word, rest, ok := strings.Cut(line[1:], line[:1]); ok && (rest == "" || strings.ContainsRune(" \t", rune(rest[0]))) {
			return word, strings.TrimSpace(rest)
		}
	}
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return line, ""
	}
	return line[:i], strings.TrimSpace(line[i:])
}

// relativePath is a program of a directory below the working directory, whose files are those of whoever
// wrote the CI job, or above it.
var relativePath = regexp.MustCompile(`^[\w.+-]+/[\w./ +-]*$`)

// plainPath is a program's, in a form that holds nothing else, such as a secret.
var plainPath = regexp.MustCompile(`^[\w./ +~-]+$`)

// blamed is the program that can't be run, if that can be known: there may be others in the line.
func blamed(program string) string {
	if _, err := exec.LookPath(program); err != nil && plainPath.MatchString(program) {
		return program
	}
	return "a program in it"
}

func (c *chain) processFailure(what string) error {
	return &cache.Failure{
		Kind:   cache.Unavailable,
		Reason: c.clean(fmt.Sprintf("the credential_process of profile %s %s", c.lastProfile().Profile, what)),
		Hint:   "run it by hand to see why; what it prints is never shown here",
		At:     time.Now(),
	}
}

// processProblem tells what a credential process has done in place of printing credentials. The
// SDK's error repeats all that it printed.
func processProblem(err error, program string, printed []byte) string {
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist):
		return "can't be started: there is no sh on PATH"
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &exit) && !exit.Exited():
		return "was ended, since it took too long"
	case errors.As(err, &exit) && exit.ExitCode() == 127:
		return "failed with exit status 127: " + blamed(program) + " was not found"
	case errors.As(err, &exit) && exit.ExitCode() == 126:
		return "failed with exit status 126: " + blamed(program) + " can't be executed"
	case errors.As(err, &exit):
		return fmt.Sprintf("failed with exit status %d", exit.ExitCode())
	}
	var said struct {
		Version         any
		AccessKeyID     any `json:"AccessKeyId"`
		SecretAccessKey any
	}
	switch jsonErr := json.Unmarshal(printed, &said); {
	case len(bytes.TrimSpace(printed)) == 0:
		return "printed nothing"
	case jsonErr != nil:
		return "printed something else than a JSON object"
	case said.Version != float64(1):
		return "printed a JSON object whose Version isn't 1"
	case !isText(said.AccessKeyID):
		return "printed a JSON object without an AccessKeyId"
	case !isText(said.SecretAccessKey):
		return "printed a JSON object without a SecretAccessKey"
	}
	return "printed a JSON object that can't be read as credentials, for example since its Expiration is no time"
}

func isText(v any) bool {
	s, ok := v.(string)
	return ok && s != ""
}

// quietCommand runs the command line with an empty stdin, and with nowhere for
// its stderr to go. What it says goes to the SDK, which keeps it all, by way of said.
func (c *chain) quietCommand(line string, said *atMost) processcreds.NewCommandBuilder {
	return processcreds.NewCommandBuilderFunc(func(ctx context.Context) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, "sh", "-c", line)
		cmd.Env = os.Environ()
		if c.request.Env.Home() == "" && c.request.Home != "" {
			cmd.Env = append(cmd.Env, "HOME="+c.request.Home)
		}
		cmd.WaitDelay = time.Second // what it has started may hold its stdout open
		cmd.Stdout = said
		return cmd, nil
	})
}

// atMost takes so many bytes, and what comes after them is an error.
type atMost struct {
	left int
	text bytes.Buffer
}

func (a *atMost) Write(p []byte) (int, error) {
	if a.left -= len(p); a.left < 0 {
		return 0, errTooMuch
	}
	return a.text.Write(p)
}

var errTooMuch = errors.New("too much output")
