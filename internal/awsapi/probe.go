package awsapi

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"docker-credential-ecr-login/internal/diagnose"
	"docker-credential-ecr-login/internal/tokensource"
)

// Probe takes the steps of a fetch one by one, for a person who wants to see each. They are to
// be taken in the order of the methods. Their errors are [*cache.Failure]s, and each ends with
// its context.
type Probe struct{ chain *chain }

// NewProbe loads the configuration that a request is made with. The Probe is of use even
// with an error, for what needs no credentials.
func NewProbe(ctx context.Context, q tokensource.Request) (*Probe, error) {
	c := newChain(q)
	c.connections.ahead = func(string) {}
	if err := c.check(); err != nil {
		return &Probe{c}, c.failed(err)
	}
	return &Probe{c}, c.failed(c.load(ctx))
}

func (c *chain) failed(err error) error {
	if err == nil {
		return nil
	}
	return c.failure(err)
}

// Region is the one that is configured or, where none is, the registry's or the instance's.
func (x *Probe) Region() string { return x.chain.cfg.Region }

// ConfiguredRegion is the one that the environment, the profile or, for the principal's own registry,
// the instance names, empty if none does.
func (x *Probe) ConfiguredRegion() string { return x.chain.configured }

// UsesMetadata tells whether the instance metadata service may be where the credentials are.
func (x *Probe) UsesMetadata() bool {
	return x.chain.used().Metadata
}

// InstanceRole asks the instance metadata service for the name of the instance's role, and
// tells where that service is. It tries once, so that it tells why it can't be reached before
// there is no time left to tell.
func (x *Probe) InstanceRole(ctx context.Context) (role, host string, err error) {
	out, err := (&metadata{chain: x.chain, singleAttempt: true}).imds().GetMetadata(ctx, &imds.GetMetadataInput{Path: "iam/security-credentials/"})
	if err != nil {
		return "", x.chain.metadataHost(), x.chain.failure(err)
	}
	defer out.Content.Close()
	name := make([]byte, 128) // IAM's longest are of 64 letters
	n, _ := out.Content.Read(name)
	return x.chain.clean(string(name[:n])), x.chain.metadataHost(), nil
}

// Credentials gets the credentials that the token is asked for with, roles assumed.
// A credential process has the time that the context has, all else that of the question.
func (x *Probe) Credentials(ctx context.Context) error {
	begin, stop := context.WithTimeout(ctx, x.chain.request.Timeout)
	defer stop()
	_, cancel, err := new(sharedCredentials).get(ctx, begin, x.chain)
	cancel()
	return x.chain.failed(err)
}

// UsesProcess tells whether the credentials are those of a credential process, which may have
// to ask a person.
func (x *Probe) UsesProcess() bool { return x.chain.hasProcess() }

// Caller is whose credentials they are, as AWS says.
type Caller struct {
	Account, ARN string
}

// Caller asks STS whose the credentials are, for which nobody needs a permission.
func (x *Probe) Caller(ctx context.Context) (Caller, error) {
	out, err := sts.NewFromConfig(x.chain.cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Caller{}, x.chain.failure(err)
	}
	return Caller{aws.ToString(out.Account), aws.ToString(out.Arn)}, nil
}

// Token asks ECR for a token, and tells which host was asked.
func (x *Probe) Token(ctx context.Context) (answer tokensource.Response, asked string, err error) {
	if x.chain.request.Registry.Public {
		answer, err = x.chain.askPublic(ctx)
	} else {
		answer, err = x.chain.askPrivate(ctx)
	}
	last, _ := x.chain.requests.lastCall()
	return answer, last.Host, x.chain.failed(err)
}

// Do sends a request the way that AWS is asked, by the same proxy and with trust in the same
// authorities. It doesn't follow redirects.
func (x *Probe) Do(request *http.Request) (*http.Response, error) {
	if err := x.chain.checkProxies(); err != nil {
		return nil, x.chain.failed(err)
	}
	if x.chain.connections.client == nil {
		// The AWS configuration can't be read. The variables count all the same.
		bundle, _ := os.ReadFile(x.chain.request.Env.Get("AWS_CA_BUNDLE"))
		roots := x.chain.roots()
		if pool := x509.NewCertPool(); pool.AppendCertsFromPEM(bundle) {
			roots = pool
		}
		x.chain.connections.useFor(aws.Config{HTTPClient: x.chain.proxied()}, roots)
	}
	client := *x.chain.connections.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	x.chain.requests.note(diagnose.Call{Service: "registry", Host: request.URL.Host})
	response, err := client.Do(request)
	return response, x.chain.failed(err)
}

// Close gives up the connections.
func (x *Probe) Close() { x.chain.connections.close() }

// Authorities tells in words whose certificates are trusted.
func (x *Probe) CACertificates() string {
	for _, name := range []string{"AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if value := x.chain.request.Env.Get(name); value != "" {
			return name + "=" + value
		}
	}
	if x.chain.roots() != nil {
		return "Mozilla's, which this helper carries, as the system has none"
	}
	return "the system's"
}

// Endpoint is where the token is asked for.
func (x *Probe) Endpoint(ctx context.Context) (*url.URL, error) {
	text, err := x.chain.registryEndpoint(ctx)
	if errors.Is(err, errNear) {
		text, err = aws.ToString(x.chain.ownEndpoint()), nil
	}
	if err != nil {
		return nil, x.chain.failure(err)
	}
	at, err := url.Parse(text)
	return at, x.chain.failed(err)
}

// ownEndpoint is that of the user's own, nil where AWS's is asked.
func (c *chain) ownEndpoint() *string {
	if c.request.Registry.Public {
		return c.publicClient().Options().BaseEndpoint
	}
	return c.privateClient().Options().BaseEndpoint
}
