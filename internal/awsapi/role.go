package awsapi

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

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

// assumeProfiles takes these credentials for those of the last profile, and assumes the roles of the
// profiles with them.
func (c *chain) assumeProfiles(provider aws.CredentialsProvider) {
	c.cfg.Credentials = aws.NewCredentialsCache(provider)
	for _, p := range slices.Backward(c.profiles()) {
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
