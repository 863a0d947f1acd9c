package awsapi

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"docker-credential-ecr-login/internal/atomicfile"
	"docker-credential-ecr-login/internal/diagnose"
	"docker-credential-ecr-login/internal/tokensource"
)

// Probe takes the steps of a fetch one by one, for a person who wants to see each. Call its methods
// in their order. Their errors are [*failure.Failure]s, and each ends with its context.
type Probe struct{ chain *chain }

// NewProbe loads the configuration that a request is made with. With an error, the Probe still
// does what needs no credentials.
func NewProbe(ctx context.Context, q tokensource.Request) (*Probe, error) {
	c := newChain(q)
	if err := c.check(); err != nil {
		return &Probe{c}, c.failed(err)
	}
	return &Probe{c}, c.failed(c.load(ctx))
}

// Region returns the configured region or, if none is, the registry's or the instance's.
func (x *Probe) Region() string { return x.chain.cfg.Region }

// ConfiguredRegion returns the region that the environment, the profile or, for the principal's own
// registry, the instance names, empty if none does.
func (x *Probe) ConfiguredRegion() string { return x.chain.configured }

// UsesMetadata reports whether the credentials may come from the instance metadata service.
func (x *Probe) UsesMetadata() bool { return x.chain.used().Metadata }

// InstanceRole asks the instance metadata service for the name of the instance's role. It returns
// the service's host, too. It tries once, so that there is time left to say why that failed.
func (x *Probe) InstanceRole(ctx context.Context) (role, host string, err error) {
	host = x.chain.metadataHost()
	out, err := (&metadata{chain: x.chain, singleAttempt: true}).imds().GetMetadata(ctx, &imds.GetMetadataInput{Path: "iam/security-credentials/"})
	if err != nil {
		return "", host, x.chain.failed(err)
	}
	defer out.Content.Close()
	name, _ := io.ReadAll(io.LimitReader(out.Content, 128)) // IAM's longest have 64 letters
	return x.chain.clean(string(name)), host, nil
}

// Credentials retrieves the credentials that the token is requested with, and assumes the roles.
// A credential process has the time of the context, all else has that of the request.
func (x *Probe) Credentials(ctx context.Context) error {
	begin, stop := context.WithTimeout(ctx, x.chain.request.Timeout)
	defer stop()
	_, cancel, err := new(sharedCredentials).get(ctx, begin, x.chain)
	cancel()
	return x.chain.failed(err)
}

// UsesProcess reports whether the credentials come from a credential process, which may have to ask
// a person.
func (x *Probe) UsesProcess() bool { return x.chain.hasProcess() }

// Caller is the principal that the credentials belong to, as AWS names it.
type Caller struct {
	Account, ARN string
}

// Caller asks STS for the principal, which needs no permission.
func (x *Probe) Caller(ctx context.Context) (Caller, error) {
	out, err := sts.NewFromConfig(x.chain.cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Caller{}, x.chain.failed(err)
	}
	return Caller{aws.ToString(out.Account), aws.ToString(out.Arn)}, nil
}

// Token asks ECR for a token, and returns the host that was asked.
func (x *Probe) Token(ctx context.Context) (response tokensource.Response, asked string, err error) {
	response, err = x.chain.token(ctx)
	return response, x.chain.requestLog.soFar().last.Host, x.chain.failed(err)
}

// Do sends a request as AWS is asked, by the same proxy and with the same CA certificates. It
// doesn't follow redirects.
func (x *Probe) Do(request *http.Request) (*http.Response, error) {
	if err := x.chain.checkProxies(); err != nil {
		return nil, x.chain.failed(err)
	}
	if x.chain.connections.client == nil {
		// The AWS configuration can't be read. The variables count all the same.
		bundle, _, _ := atomicfile.ReadRegular(x.chain.request.Env.Get("AWS_CA_BUNDLE"), maxBundle)
		roots := x.chain.roots()
		if pool := x509.NewCertPool(); pool.AppendCertsFromPEM(bundle) {
			roots = pool
		}
		x.chain.connections.useFor(aws.Config{HTTPClient: x.chain.proxied()}, roots)
	}
	client := *x.chain.connections.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	x.chain.requestLog.noteCall(diagnose.Call{Service: "registry", Host: request.URL.Host})
	response, err := client.Do(request)
	return response, x.chain.failed(err)
}

// Close drops the connections.
func (x *Probe) Close() { x.chain.connections.close() }

// CACertificates says whose CA certificates are trusted.
func (x *Probe) CACertificates() string {
	if name, value := namedCertificates(x.chain.request.Env); name != "" {
		return name + "=" + value
	}
	if x.chain.roots() != nil {
		return "Mozilla's, which this helper carries, as the system has none"
	}
	return "the system's"
}

// Endpoint returns the URL that gives the registry's token.
func (x *Probe) Endpoint(ctx context.Context) (*url.URL, error) {
	text, _, err := x.chain.registryEndpoint(ctx)
	if err != nil {
		return nil, x.chain.failed(err)
	}
	at, err := url.Parse(text)
	return at, x.chain.failed(err)
}
