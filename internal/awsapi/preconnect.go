package awsapi

// Connections are opened, and CA certificates read, before a request needs them, so that a get
// waits for them together and not one after the other. A cold get over a role and an instance
// profile, with 40 ms for TCP, for TLS and for a request, takes 265 ms; the awslabs helper takes
// 449 ms (docs/benchmarks.md: 0.59 of peer).

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/http/httptrace"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// preconnect reads the system's CA certificates and opens connections for as long as ctx lasts,
// beside what the caller does next. Reading takes half the time of a cold get, and net/http
// would begin with it in the middle of the first handshake.
func (c *chain) preconnect(ctx context.Context) {
	if c.request.Env.Get("AWS_CA_BUNDLE") == "" {
		go x509.SystemCertPool() // Go keeps them, once read
	}
	c.connections.ahead = func(service string) { c.openAhead(ctx, service) }
}

// openAhead opens the connections that come after the service that is being asked, on
// the way to the registry's token.
func (c *chain) openAhead(ctx context.Context, service string) {
	if service == ecr.ServiceID || service == ecrpublic.ServiceID || c.cfg.Region == "" {
		return
	}
	if service == machine && slices.Contains(c.steps, aws.CredentialSourceSTSAssumeRole) {
		c.openedSTS.Do(func() { c.open(ctx, c.stsEndpoint) })
	}
	c.openedRegistry.Do(func() { c.open(ctx, c.registryEndpoint) })
}

// open finds the endpoint before it goes on in the background, as the configuration changes
// meanwhile. An endpoint of the user's own is near, and may be one for several services; nothing
// is opened there.
func (c *chain) open(ctx context.Context, endpoint func(context.Context) (string, bool, error)) {
	if url, isOwn, err := endpoint(ctx); err == nil && !isOwn {
		go c.connections.open(ctx, url)
	}
}

// open opens a connection if there is none yet, for a request that is to come.
// It sends none itself: a request that is called off once its connection is on the way
// leaves that to the next one (net/http.Transport.getConn: "because a future request
// may be able to make use of the connection").
func (c *connections) open(ctx context.Context, url string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{ConnectStart: func(string, string) { cancel() }})
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil || c.client == nil {
		return
	}
	if resp, err := c.client.Do(req); err == nil {
		resp.Body.Close()
	}
}

// stsEndpoint returns the URL of STS and whether it is the user's own endpoint.
func (c *chain) stsEndpoint(ctx context.Context) (url string, isOwn bool, err error) {
	o := sts.NewFromConfig(c.cfg).Options()
	if o.BaseEndpoint != nil {
		return *o.BaseEndpoint, true, nil
	}
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, sts.EndpointParameters{
		Region:       aws.String(o.Region),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	return endpoint.URI.String(), false, err
}

// registryEndpoint returns the URL that gives the registry's token and whether it is the user's
// own endpoint.
func (c *chain) registryEndpoint(ctx context.Context) (url string, isOwn bool, err error) {
	if c.request.Registry.Public {
		o := c.publicClient().Options()
		if o.BaseEndpoint != nil {
			return *o.BaseEndpoint, true, nil
		}
		endpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, ecrpublic.EndpointParameters{
			Region:       aws.String(o.Region),
			UseFIPS:      aws.Bool(false),
			UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		})
		return endpoint.URI.String(), false, err
	}
	o := c.privateClient().Options()
	if o.BaseEndpoint != nil {
		return *o.BaseEndpoint, true, nil
	}
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, ecr.EndpointParameters{
		Region:       aws.String(o.Region),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	return endpoint.URI.String(), false, err
}
