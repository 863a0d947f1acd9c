// Package awsapi asks AWS for registry tokens. It alone imports the AWS SDK, and
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

// maxLife is how long ECR's tokens live; a wrong clock must not stretch it. See
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
const maxLife = 12 * time.Hour

// maxPassword is many times what ECR's passwords take, two to three thousand bytes.
const maxPassword = 48 << 10

// New returns what asks AWS for tokens, with the credentials that the SDK's own
// chain finds. Its errors are [*cache.Failure]s.
func New() tokensource.Fetch {
	credentials := new(sharedCredentials)
	return func(ctx context.Context, q tokensource.Request) (tokensource.Response, error) {
		c := newChain(q)
		answer, err := c.ask(ctx, credentials)
		if err != nil {
			return tokensource.Response{}, c.failure(err)
		}
		return answer, nil
	}
}

func (c *chain) ask(ctx context.Context, credentials *sharedCredentials) (tokensource.Response, error) {
	defer c.connections.close() // after begin has ended, which opens no more then
	begin, cancel := context.WithTimeout(ctx, c.request.Timeout)
	defer cancel()
	if err := c.check(); err != nil {
		return tokensource.Response{}, err
	}
	c.loadRoots()
	c.connections.ahead = func(service string) { c.openAhead(begin, service) }
	if err := c.load(begin); err != nil {
		return tokensource.Response{}, err
	}
	rest, cancelRest, err := credentials.get(ctx, begin, c)
	defer cancelRest()
	if err != nil {
		return tokensource.Response{}, err
	}
	if c.request.Registry.Public {
		return c.askPublic(rest)
	}
	return c.askPrivate(rest)
}

func (c *chain) privateClient() *ecr.Client {
	r := c.request.Registry
	return ecr.NewFromConfig(c.cfg, func(o *ecr.Options) {
		if r.Region != "" {
			o.Region = r.Region
		}
		flags := &o.EndpointOptions
		setFlavour(o.BaseEndpoint, r, &flags.UseFIPSEndpoint, &flags.UseDualStackEndpoint)
	})
}

func (c *chain) askPrivate(ctx context.Context) (tokensource.Response, error) {
	r := c.request.Registry
	asked := time.Now()
	out, err := c.privateClient().GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return tokensource.Response{}, err
	}
	if len(out.AuthorizationData) == 0 {
		return tokensource.Response{}, errors.New("the answer holds no token")
	}
	data := out.AuthorizationData[0]
	own, isECR := registry.Parse(aws.ToString(data.ProxyEndpoint))
	if r == (registry.Registry{}) {
		if !isECR {
			return tokensource.Response{}, errors.New("the answer names no registry")
		}
		r = own
	}
	answer, err := c.answer(asked, data.AuthorizationToken, data.ExpiresAt, out.ResultMetadata)
	answer.Registry = r
	answer.Default = own == r && r.Region == c.configured
	return answer, err
}

func (c *chain) publicClient() *ecrpublic.Client {
	return ecrpublic.NewFromConfig(c.cfg, func(o *ecrpublic.Options) {
		o.Region = registry.PublicRegion
		flags := &o.EndpointOptions
		flags.UseFIPSEndpoint = aws.FIPSEndpointStateDisabled // there is none
		setFlavour(o.BaseEndpoint, c.request.Registry, &flags.UseFIPSEndpoint, &flags.UseDualStackEndpoint)
	})
}

func (c *chain) askPublic(ctx context.Context) (tokensource.Response, error) {
	r := c.request.Registry
	asked := time.Now()
	out, err := c.publicClient().GetAuthorizationToken(ctx, &ecrpublic.GetAuthorizationTokenInput{})
	if err != nil {
		return tokensource.Response{}, err
	}
	if out.AuthorizationData == nil {
		return tokensource.Response{}, errors.New("the answer holds no token")
	}
	data := out.AuthorizationData
	answer, err := c.answer(asked, data.AuthorizationToken, data.ExpiresAt, out.ResultMetadata)
	answer.Registry = r
	return answer, err
}

// setFlavour asks the endpoint the registry's host belongs to. The SDK refuses
// the flags beside an endpoint of the user's own.
func setFlavour(endpoint *string, r registry.Registry, fips *aws.FIPSEndpointState, dualStack *aws.DualStackEndpointState) {
	if endpoint != nil {
		*fips, *dualStack = aws.FIPSEndpointStateDisabled, aws.DualStackEndpointStateDisabled
		return
	}
	if r.FIPS {
		*fips = aws.FIPSEndpointStateEnabled
	}
	if r.DualStack {
		*dualStack = aws.DualStackEndpointStateEnabled
	}
}

func (c *chain) answer(asked time.Time, data *string, expiresAt *time.Time, meta middleware.Metadata) (tokensource.Response, error) {
	text, err := base64.StdEncoding.DecodeString(aws.ToString(data))
	if err != nil {
		return tokensource.Response{}, errors.New("the token isn't base64")
	}
	user, password, _ := strings.Cut(string(text), ":")
	if user != "AWS" || password == "" {
		return tokensource.Response{}, errors.New(`the token isn't of the form "AWS:password"`)
	}
	if len(password) > maxPassword || strings.ContainsFunc(password, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return tokensource.Response{}, errors.New("the token's password is none that AWS gives: too long, or with other than printable characters")
	}
	now, ok := awsmiddleware.GetServerTime(meta)
	if !ok {
		now = asked
	}
	life := maxLife
	if expiresAt != nil {
		life = min(life, expiresAt.Sub(now))
	}
	if end, ok := expiration(password); ok {
		life = min(life, end.Sub(now))
	}
	if life <= 0 {
		return tokensource.Response{}, errors.New("the token had expired when it came")
	}
	return tokensource.Response{
		Password:           password,
		RequestedAt:        asked,
		TTL:                life,
		PrincipalMayChange: c.principalMayChange(),
		Login:              c.requests.refreshedLogin(),
		Used:               c.used(),
		FromFiles:          c.fromFiles,
	}, nil
}

// expiration reads when a token ends from the token itself: base64 of a JSON
// object, which has been seen to say an earlier time than the API does
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
