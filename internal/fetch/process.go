package fetch

import (
	"context"
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
	value, err := processcreds.NewProviderCommand(
		quietCommand(last.CredentialProcess),
		func(o *processcreds.Options) { o.Timeout = processTime },
	).Retrieve(ctx)
	if err != nil {
		return err
	}
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
// its stderr to go.
func quietCommand(line string) processcreds.NewCommandBuilder {
	return processcreds.NewCommandBuilderFunc(func(ctx context.Context) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, "sh", "-c", line)
		cmd.Env = os.Environ()
		cmd.WaitDelay = time.Second // what it has started may hold its stdout open
		return cmd, nil
	})
}
