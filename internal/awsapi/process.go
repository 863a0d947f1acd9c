package awsapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"

	"docker-credential-ecr-login/internal/diagnose"
	"docker-credential-ecr-login/internal/failure"
)

// processTime is the time of a credential process: it may have to ask a person.
const processTime = time.Minute

// runProcess runs the chain's credential process and assumes the roles of the profiles with its
// credentials. The SDK would give the process our stdin, which is the client's, and our
// stderr; and its options don't reach the command.
func (c *chain) runProcess(ctx context.Context) error {
	line, program := c.processLine()
	if relativePath.MatchString(program) {
		return c.processFailure(fmt.Sprintf("names the program %q, which is relative to the working directory", program))
	}
	c.request.ExtendDeadline(processTime)
	// Not behind a cache, which would let the process outlive the context.
	output := &limitedBuffer{left: maxInput}
	value, err := processcreds.NewProviderCommand(
		c.quietCommand(line, output),
		func(o *processcreds.Options) { o.Timeout = processTime },
	).Retrieve(ctx)
	switch {
	case output.left < 0:
		return c.processFailure(fmt.Sprintf("printed more than %d bytes", maxInput))
	case err != nil:
		return c.processFailure(diagnose.Process(err, program, output.text.Bytes()))
	case value.Expired():
		return c.processFailure("printed credentials that have expired")
	}
	c.resolved = append(c.resolved, value)
	c.assumeProfiles(credentials.StaticCredentialsProvider{Value: value})
	return nil
}

// processLine returns the command line as it stands in the file, with the quotes in which AWS
// documents the program and each argument, and the program. The SDK's reader removes a first and a
// last quote, be they a pair or not.
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

// firstWord returns the first word of a command line, which may be in quotes, and what is behind
// it.
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

// relativePath matches a program in a directory below the working directory, whose files are those
// of whoever wrote the CI job, or above it.
var relativePath = regexp.MustCompile(`^[\w.+-]+/[\w./ +-]*$`)

func (c *chain) processFailure(what string) error {
	return failure.New(failure.Unavailable, "run it by hand to see why; what it prints is never shown here",
		"%s", c.clean(fmt.Sprintf("the credential_process of profile %s %s", c.lastProfile().Profile, what)))
}

// quietCommand runs the command line with an empty stdin, without its stderr and with its stdout
// going to output.
func (c *chain) quietCommand(line string, output *limitedBuffer) processcreds.NewCommandBuilder {
	return processcreds.NewCommandBuilderFunc(func(ctx context.Context) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, "sh", "-c", line)
		cmd.Env = os.Environ()
		if c.request.Env.Home() == "" && c.request.Home != "" {
			cmd.Env = append(cmd.Env, "HOME="+c.request.Home)
		}
		cmd.WaitDelay = time.Second // what it has started may hold its stdout open
		cmd.Stdout = output
		return cmd, nil
	})
}

// limitedBuffer takes so many bytes and returns an error for what comes after them.
type limitedBuffer struct {
	left int
	text bytes.Buffer
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errors.New("too much output")
	}
	return b.text.Write(p)
}
