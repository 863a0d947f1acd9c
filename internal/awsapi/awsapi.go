// Package awsapi asks AWS for registry tokens. Only it and package diagnose import the AWS SDK, and
// only a get that finds nothing in the cache comes here.
package awsapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/smithy-go/middleware"

	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/tokensource"
)

// maxTTL is how long ECR's tokens live; a wrong clock must not stretch it. See
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
const maxTTL = 12 * time.Hour

// maxPassword is many times what ECR's passwords take, two to three thousand bytes.
const maxPassword = 48 << 10

// New returns a Fetch that asks AWS with the credentials that the SDK's own chain finds.
// Its errors are [*failure.Failure]s.
func New() tokensource.Fetch {
	credentials := new(sharedCredentials)
	return func(ctx context.Context, q tokensource.Request) (tokensource.Response, error) {
		c := newChain(q)
		response, err := c.fetch(ctx, credentials)
		return response, c.failed(err)
	}
}

func (c *chain) fetch(ctx context.Context, credentials *sharedCredentials) (tokensource.Response, error) {
	defer c.connections.close() // after begin has ended, which opens no more then
	begin, cancel := context.WithTimeout(ctx, c.request.Timeout)
	defer cancel()
	if err := c.check(); err != nil {
		return tokensource.Response{}, err
	}
	c.preconnect(begin)
	if err := c.load(begin); err != nil {
		return tokensource.Response{}, err
	}
	rest, cancelRest, err := credentials.get(ctx, begin, c)
	defer cancelRest()
	if err != nil {
		return tokensource.Response{}, err
	}
	return c.token(rest)
}

// token asks ECR for a token, with the credentials that have been retrieved.
func (c *chain) token(ctx context.Context) (tokensource.Response, error) {
	requestedAt := time.Now()
	if c.request.Registry.Public {
		out, err := c.publicClient().GetAuthorizationToken(ctx, &ecrpublic.GetAuthorizationTokenInput{})
		if err != nil {
			return tokensource.Response{}, err
		}
		if out.AuthorizationData == nil {
			return tokensource.Response{}, errNoToken
		}
		data := out.AuthorizationData
		return c.response(requestedAt, data.AuthorizationToken, data.ExpiresAt, out.ResultMetadata)
	}
	out, err := c.privateClient().GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return tokensource.Response{}, err
	}
	if len(out.AuthorizationData) == 0 {
		return tokensource.Response{}, errNoToken
	}
	data := out.AuthorizationData[0]
	own, isECR := registry.Parse(aws.ToString(data.ProxyEndpoint))
	if c.request.Registry == (registry.Registry{}) && !isECR {
		return tokensource.Response{}, errors.New("the answer names no registry")
	}
	response, err := c.response(requestedAt, data.AuthorizationToken, data.ExpiresAt, out.ResultMetadata)
	if err != nil {
		return tokensource.Response{}, err
	}
	if response.Registry == (registry.Registry{}) {
		response.Registry = own
	}
	response.Default = own == response.Registry && own.Region == c.configured
	return response, nil
}

var errNoToken = errors.New("the answer holds no token")

func (c *chain) privateClient() *ecr.Client {
	return ecr.NewFromConfig(c.cfg, func(o *ecr.Options) {
		if region := c.request.Registry.Region; region != "" {
			o.Region = region
		}
		flags := &o.EndpointOptions
		c.setVariant(o.BaseEndpoint, &flags.UseFIPSEndpoint, &flags.UseDualStackEndpoint)
	})
}

func (c *chain) publicClient() *ecrpublic.Client {
	return ecrpublic.NewFromConfig(c.cfg, func(o *ecrpublic.Options) {
		o.Region = registry.PublicRegion
		flags := &o.EndpointOptions
		flags.UseFIPSEndpoint = aws.FIPSEndpointStateDisabled // there is none
		c.setVariant(o.BaseEndpoint, &flags.UseFIPSEndpoint, &flags.UseDualStackEndpoint)
	})
}

// setVariant sets the flags for the endpoint that the registry's host belongs to. The SDK
// refuses the flags beside an endpoint of the user's own.
func (c *chain) setVariant(endpoint *string, fips *aws.FIPSEndpointState, dualStack *aws.DualStackEndpointState) {
	if endpoint != nil {
		*fips, *dualStack = aws.FIPSEndpointStateDisabled, aws.DualStackEndpointStateDisabled
		return
	}
	if c.request.Registry.FIPS {
		*fips = aws.FIPSEndpointStateEnabled
	}
	if c.request.Registry.DualStack {
		*dualStack = aws.DualStackEndpointStateEnabled
	}
}

// response reads a token: base64 of "AWS:password".
func (c *chain) response(requestedAt time.Time, token *string, expiresAt *time.Time, meta middleware.Metadata) (tokensource.Response, error) {
	text, err := base64.StdEncoding.DecodeString(aws.ToString(token))
	if err != nil {
		return tokensource.Response{}, errors.New("the token isn't base64")
	}
	user, password, _ := strings.Cut(string(text), ":")
	if user != "AWS" || password == "" {
		return tokensource.Response{}, errors.New(`the token isn't of the form "AWS:password"`)
	}
	if len(password) > maxPassword || strings.ContainsFunc(password, isNotPrintable) {
		return tokensource.Response{}, errors.New("the token's password is none that AWS gives: too long, or with other than printable characters")
	}
	now, ok := awsmiddleware.GetServerTime(meta)
	if !ok {
		now = requestedAt
	}
	ttl := maxTTL
	if expiresAt != nil {
		ttl = min(ttl, expiresAt.Sub(now))
	}
	if end, ok := expiration(password); ok {
		ttl = min(ttl, end.Sub(now))
	}
	if ttl <= 0 {
		return tokensource.Response{}, errors.New("the token had expired when it came")
	}
	return tokensource.Response{
		Registry:           c.request.Registry,
		Password:           password,
		RequestedAt:        requestedAt,
		TTL:                ttl,
		PrincipalMayChange: c.principalMayChange(),
		Login:              c.requestLog.soFar().login,
		Used:               c.used(),
		FromFiles:          c.fromFiles,
	}, nil
}

// isNotPrintable reports whether a character can't be in a password or a key.
func isNotPrintable(r rune) bool { return r <= ' ' || r > '~' }

// expiration reads when a token ends from the token itself: base64 of a JSON
// object, which has been seen to name an earlier time than the API does
// (kubernetes/cloud-provider-aws issue 348).
func expiration(password string) (time.Time, bool) {
	text, err := base64.StdEncoding.DecodeString(password)
	if err != nil {
		return time.Time{}, false
	}
	var inside struct {
		Expiration int64 `json:"expiration"`
	}
	if json.Unmarshal(text, &inside) != nil || inside.Expiration <= 0 {
		return time.Time{}, false
	}
	return time.Unix(inside.Expiration, 0), true
}
