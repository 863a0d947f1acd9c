package awsapi

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// sharedCredentials are the credentials of each identity, or why there are none. The parts
// of a list ask together; without this each would assume the role for itself, and
// run the credential process, which may ask a person.
type sharedCredentials struct {
	results sync.Map // of *result, by identity
}

type result struct {
	once     sync.Once
	value    aws.Credentials
	resolved []aws.Credentials // those of the chain
	login    string
	err      error // a [*failure.Failure]
}

// get retrieves the credentials of a chain, once for all requests of its identity,
// before the call that is signed with them: inside, the SDK would retrieve them again
// at each of its own retries, with all of theirs. It returns the context for what
// is left to do.
func (s *sharedCredentials) get(ctx, begin context.Context, c *chain) (context.Context, context.CancelFunc, error) {
	start := time.Now()
	stored, _ := s.results.LoadOrStore(c.request.Identity, new(result))
	got := stored.(*result)
	got.once.Do(func() {
		got.value, got.err = c.retrieve(ctx, begin, start)
		got.err = c.failed(got.err)
		got.resolved, got.login = append(c.resolved, got.value), c.requestLog.soFar().login
	})
	c.resolved = got.resolved
	c.requestLog.refreshed(&got.login)
	if got.err != nil {
		return begin, func() {}, got.err
	}
	c.cfg.Credentials = credentials.StaticCredentialsProvider{Value: got.value}
	rest, cancel := c.extend(ctx, begin, start)
	return rest, cancel, nil
}

func (c *chain) retrieve(ctx, begin context.Context, start time.Time) (aws.Credentials, error) {
	if err := errors.Join(c.checkTokens(), c.checkLogin()); err != nil {
		return aws.Credentials{}, err
	}
	switch {
	case c.hasProcess():
		if err := c.runProcess(ctx); err != nil {
			return aws.Credentials{}, err
		}
	case c.hasStep(aws.CredentialSourceLogin):
		c.useLogin()
	}
	if err := c.checkKeys(); err != nil {
		return aws.Credentials{}, err
	}
	c.assumeMapped()
	rest, cancel := c.extend(ctx, begin, start)
	defer cancel()
	return c.cfg.Credentials.Retrieve(rest)
}

// extend returns begin or, if a credential process has run since start, a context that is
// as much longer: the process has a time of its own.
func (c *chain) extend(ctx, begin context.Context, start time.Time) (context.Context, context.CancelFunc) {
	deadline, ok := begin.Deadline()
	if !ok || !c.hasProcess() {
		return begin, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(time.Since(start)))
}

func (c *chain) hasProcess() bool { return c.hasStep(aws.CredentialSourceProcess) }

// withPrincipal returns the options to load the chain with that the map asks for.
func (c *chain) withPrincipal() []func(*config.LoadOptions) error {
	switch p := c.request.Principal; {
	case p.HasWebIdentity():
		// The token replaces the chain, of which nothing is to be asked.
		return []func(*config.LoadOptions) error{config.WithCredentialsProvider(aws.AnonymousCredentials{})}
	case p.Profile != "":
		return []func(*config.LoadOptions) error{config.WithSharedConfigProfile(p.Profile)}
	default:
		return nil
	}
}

// assumeMapped assumes the role of the map, if there is one, with the credentials of the chain or
// the web identity token of the map.
func (c *chain) assumeMapped() {
	p := c.request.Principal
	switch {
	case p.RoleARN == "":
	case p.HasWebIdentity():
		var token stscreds.IdentityTokenRetriever = stscreds.IdentityTokenFile(p.WebIdentityTokenFile)
		var client stscreds.AssumeRoleWithWebIdentityAPIClient = sts.NewFromConfig(c.cfg)
		switch {
		case p.WebIdentityTokenEnv != "":
			token = identityToken(strings.TrimSpace(c.request.Env.Get(p.WebIdentityTokenEnv)))
		case p.WebIdentityToken != "":
			token, client = identityToken(p.WebIdentityToken), askOnce{client}
		}
		role := stscreds.NewWebIdentityRoleProvider(client, p.RoleARN, token, func(o *stscreds.WebIdentityRoleOptions) {
			o.RoleSessionName = p.RoleSessionName
		})
		c.cfg.Credentials = aws.NewCredentialsCache(role)
	default:
		c.assume(c.cfg, p.RoleARN, p.RoleSessionName, p.ExternalID, nil)
	}
}

// assumeProfiles takes these credentials for those of the last profile, and assumes the roles of
// the profiles with them.
func (c *chain) assumeProfiles(provider aws.CredentialsProvider) {
	c.cfg.Credentials = aws.NewCredentialsCache(provider)
	for _, p := range slices.Backward(c.profiles) {
		if p.RoleARN != "" {
			c.assume(c.chainConfig(), p.RoleARN, p.RoleSessionName, p.ExternalID, p.RoleDurationSeconds)
		}
	}
}

// assume assumes a role with the credentials of cfg, which says where STS is, too.
func (c *chain) assume(cfg aws.Config, role, sessionName, externalID string, duration *time.Duration) {
	c.cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = sessionName
		if externalID != "" {
			o.ExternalID = aws.String(externalID)
		}
		if duration != nil && *duration > stscreds.DefaultDuration {
			o.Duration = *duration
		}
	}))
}

// chainConfig returns the configuration as the SDK has it while it puts the chain together:
// AWS_ENDPOINT_URL, for all services, doesn't count yet.
func (c *chain) chainConfig() aws.Config {
	cfg := c.cfg.Copy()
	cfg.BaseEndpoint = nil
	return cfg
}

// askOnce drops the options of the SDK's provider, which retries a token that STS refuses. What the
// kubelet has sent stays as it is, and those who wait for the answer want it.
type askOnce struct {
	stscreds.AssumeRoleWithWebIdentityAPIClient
}

func (a askOnce) AssumeRoleWithWebIdentity(ctx context.Context, in *sts.AssumeRoleWithWebIdentityInput, _ ...func(*sts.Options)) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	return a.AssumeRoleWithWebIdentityAPIClient.AssumeRoleWithWebIdentity(ctx, in)
}

// identityToken is a web identity token itself.
type identityToken string

func (t identityToken) GetIdentityToken() ([]byte, error) { return []byte(t), nil }
