package awsapi

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// withPrincipal are the options to load the chain with that the map asks for.
func (c *chain) withPrincipal() []func(*config.LoadOptions) error {
	switch p := c.request.Principal; {
	case p.HasWebIdentity():
		// The token takes the place of the chain, of which nothing is to be asked.
		return []func(*config.LoadOptions) error{config.WithCredentialsProvider(aws.AnonymousCredentials{})}
	case p.Profile != "":
		return []func(*config.LoadOptions) error{config.WithSharedConfigProfile(p.Profile)}
	default:
		return nil
	}
}

// assumeMapped puts the role of the map, if there is one, on top of the
// credentials there are.
func (c *chain) assumeMapped() {
	p := c.request.Principal
	switch {
	case p.RoleARN == "":
	case p.HasWebIdentity():
		var token stscreds.IdentityTokenRetriever = stscreds.IdentityTokenFile(p.WebIdentityTokenFile)
		switch {
		case p.WebIdentityTokenEnv != "":
			token = identityToken(strings.TrimSpace(c.request.Env.Get(p.WebIdentityTokenEnv)))
		case p.WebIdentityToken != "":
			token = identityToken(p.WebIdentityToken)
		}
		var client stscreds.AssumeRoleWithWebIdentityAPIClient = sts.NewFromConfig(c.cfg)
		if p.WebIdentityToken != "" {
			client = askOnce{client}
		}
		role := stscreds.NewWebIdentityRoleProvider(client, p.RoleARN, token, func(o *stscreds.WebIdentityRoleOptions) {
			o.RoleSessionName = p.RoleSessionName
		})
		c.cfg.Credentials = aws.NewCredentialsCache(role)
	default:
		c.assume(c.cfg, p.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = p.RoleSessionName
			if p.ExternalID != "" {
				o.ExternalID = aws.String(p.ExternalID)
			}
		})
	}
}

// assume puts a role on top of the credentials there are. cfg holds them, too, and says where STS is.
func (c *chain) assume(cfg aws.Config, role string, options func(*stscreds.AssumeRoleOptions)) {
	c.cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, options))
}

// standOn takes these credentials for those of the last profile, and puts the roles of the profiles
// on top.
func (c *chain) standOn(provider aws.CredentialsProvider) {
	c.cfg.Credentials = aws.NewCredentialsCache(provider)
	for _, p := range slices.Backward(c.profiles()) {
		if p.RoleARN != "" {
			c.assume(c.chainConfig(), p.RoleARN, profileRole(p))
		}
	}
}

// chainConfig is the configuration as the SDK has it while it puts the chain together: AWS_ENDPOINT_URL,
// for all services, doesn't count yet.
func (c *chain) chainConfig() aws.Config {
	cfg := c.cfg.Copy()
	cfg.BaseEndpoint = nil
	return cfg
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

// askOnce asks without the options of the SDK's provider, which has a token that STS refuses
// tried again. What the kubelet has sent stays as it is, and those who wait for the answer want it.
type askOnce struct {
	stscreds.AssumeRoleWithWebIdentityAPIClient
}

func (a askOnce) AssumeRoleWithWebIdentity(ctx context.Context, in *sts.AssumeRoleWithWebIdentityInput, _ ...func(*sts.Options)) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	return a.AssumeRoleWithWebIdentityAPIClient.AssumeRoleWithWebIdentity(ctx, in)
}

// identityToken is a web identity token itself.
type identityToken string

func (t identityToken) GetIdentityToken() ([]byte, error) { return []byte(t), nil }
