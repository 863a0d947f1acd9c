package fetch

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/http/httptrace"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// connections are those of one question to AWS itself. Every client of the SDK
// builds a pool of its own out of what it is given; with one for all of them a
// connection can be opened before it is known which client is to use it, and what
// has to be asked first need not be waited for.
type connections struct{ client *http.Client }

// useFor makes the clients that are made from a configuration, and those inside
// its credentials, use these connections. What they were given to use is what the
// user has configured: proxy, authorities, time.
func (c *connections) useFor(cfg aws.Config) {
	if built, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		c.client, _ = built.Freeze().(*http.Client)
	}
}

// addTo puts the connections below everything that a client of the SDK does with a
// request, in place of its own.
func (c *connections) addTo(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("SharedConnections", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		switch awsmiddleware.GetServiceID(ctx) {
		case "", "ec2imds": // of this machine, which no proxy is for
			return next.HandleDeserialize(ctx, in)
		}
		if c.client == nil {
			return next.HandleDeserialize(ctx, in)
		}
		response, meta, err := smithyhttp.NewClientHandlerWithOptions(c.client).Handle(ctx, in.Request)
		return middleware.DeserializeOutput{RawResponse: response}, meta, err
	}), middleware.After)
}

// open opens a connection, for a request that is yet to come. It sends none: a
// request that is called off once its connection is on the way leaves that to the
// next one (net/http.Transport.getConn: "because a future request may be able to
// make use of the connection").
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

// close drops what nobody uses any longer, be it still on its way.
func (c *connections) close() {
	if c.client != nil {
		c.client.CloseIdleConnections()
	}
}

// loadRoots has the machine's authorities read while nobody needs them yet. That is
// half the work of a cold get, and net/http begins with it in the middle of the first
// handshake.
func (c *chain) loadRoots() {
	if !c.question.Env.Has("AWS_CA_BUNDLE") {
		go x509.SystemCertPool() // they are kept, once read
	}
}

// openRegistry opens the connection to ECR while the credentials for it are still
// to be asked for.
func (c *chain) openRegistry(ctx context.Context) {
	if !c.asksForCredentials() {
		return // the request itself comes next
	}
	if url, err := c.registryEndpoint(ctx); err == nil {
		go c.connections.open(ctx, url)
	}
}

// openSTS opens the connection to STS while what is to be shown there is still to
// be asked for.
func (c *chain) openSTS(ctx context.Context) {
	first := slices.Index(c.steps, aws.CredentialSourceSTSAssumeRole)
	if first < 0 || !slices.ContainsFunc(c.steps[:first], isRemote) {
		return
	}
	o := sts.NewFromConfig(c.cfg).Options()
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, sts.EndpointParameters{
		Region:       aws.String(o.Region),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		Endpoint:     o.BaseEndpoint,
	})
	if err == nil {
		go c.connections.open(ctx, endpoint.URI.String())
	}
}

// registryEndpoint is where the registry's token is asked for.
func (c *chain) registryEndpoint(ctx context.Context) (string, error) {
	var endpoint smithyendpoints.Endpoint
	var err error
	if c.question.Registry.Public {
		o := c.publicClient().Options()
		endpoint, err = o.EndpointResolverV2.ResolveEndpoint(ctx, ecrpublic.EndpointParameters{
			Region:       aws.String(o.Region),
			UseFIPS:      aws.Bool(false),
			UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
			Endpoint:     o.BaseEndpoint,
		})
	} else {
		o := c.privateClient().Options()
		endpoint, err = o.EndpointResolverV2.ResolveEndpoint(ctx, ecr.EndpointParameters{
			Region:       aws.String(o.Region),
			UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
			UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
			Endpoint:     o.BaseEndpoint,
		})
	}
	return endpoint.URI.String(), err
}

// asksForCredentials tells whether anybody has to be asked before the registry is.
func (c *chain) asksForCredentials() bool {
	return slices.ContainsFunc(c.steps, func(step aws.CredentialSource) bool {
		return isRemote(step) || step == aws.CredentialSourceSTSAssumeRole || step == aws.CredentialSourceSTSAssumeRoleWebID
	})
}

// isRemote tells whether a source of credentials takes its time.
func isRemote(step aws.CredentialSource) bool {
	switch step {
	case aws.CredentialSourceIMDS, aws.CredentialSourceHTTP, aws.CredentialSourceProcess,
		aws.CredentialSourceSSO, aws.CredentialSourceSSOLegacy:
		return true
	default:
		return false
	}
}
