package fetch

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
)

// processTime is what a credential process gets: it may have to ask a person.
const processTime = time.Minute

// runProcess runs the chain's credential process and puts what stands on it on
// top. The SDK would give the process our stdin, which is the client's, and our
// stderr; and its options don't reach the command, so the end of the chain is put
// together here, of the SDK's own providers.
func (c *chain) runProcess(ctx context.Context) error {
	profiles := c.profiles()
	last := profiles[len(profiles)-1]
	c.question.Unhurried(processTime)
	// Not behind a cache, which would let the process outlive the context.
	said := &atMost{left: maxInput}
	value, err := processcreds.NewProviderCommand(
		quietCommand(last.CredentialProcess, said),
		func(o *processcreds.Options) { o.Timeout = processTime },
	).Retrieve(ctx)
	switch {
	case said.left < 0:
		return &processcreds.ProviderError{Err: errTooMuch}
	case err != nil:
		return err
	}
	c.given = append(c.given, value)
	c.cfg.Credentials = credentials.StaticCredentialsProvider{Value: value}
	for _, p := range slices.Backward(profiles) {
		if p.RoleARN != "" {
			c.assume(p.RoleARN, profileRole(p))
		}
	}
	return nil
}

// profileRole are the options of a profile's role.
func profileRole(p *config.SharedConfig) func(*stscreds.AssumeRoleOptions) {
	return func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = p.RoleSessionName
		if p.ExternalID != "" {
			o.ExternalID = aws.String(p.ExternalID)
		}
		if d := p.RoleDurationSeconds; d != nil && *d > stscreds.DefaultDuration {
			o.Duration = *d
		}
	}
}

// quietCommand runs the command line with an empty stdin, and with nowhere for
// its stderr to go. What it says goes to the SDK, which keeps it all, by way of said.
func quietCommand(line string, said *atMost) processcreds.NewCommandBuilder {
	return processcreds.NewCommandBuilderFunc(func(ctx context.Context) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, "sh", "-c", line)
		cmd.Env = os.Environ()
		cmd.WaitDelay = time.Second // what it has started may hold its stdout open
		cmd.Stdout = said
		return cmd, nil
	})
}

// atMost takes so many bytes, and what comes after them is an error.
type atMost struct{ left int }

func (a *atMost) Write(p []byte) (int, error) {
	if a.left -= len(p); a.left < 0 {
		return 0, errTooMuch
	}
	return len(p), nil
}

var errTooMuch = errors.New("too much output")
