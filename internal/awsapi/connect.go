package awsapi

import (
	"context"
	"crypto/x509"
	"errors"
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
type connections struct {
	client *http.Client
	// ahead is told of the service that is being asked, before or while it is.
	ahead func(service string)
}

// useFor makes the clients that are made from a configuration, and those inside
// its credentials, use these connections. What they were given to use is what the
// user has configured: proxy, authorities, time. Where no authorities are configured,
// roots are trusted, and where those are nil, the system's.
func (c *connections) useFor(cfg aws.Config, roots *x509.CertPool) {
	built, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		return
	}
	if frozen, ok := built.Freeze().(*http.Client); ok {
		client := *frozen
		// What the SDK puts around it hides CloseIdleConnections.
		transport := built.GetTransport()
		if transport.TLSClientConfig.RootCAs == nil {
			transport.TLSClientConfig.RootCAs = roots
		}
		client.Transport = transport
		c.client = &client
	}
}

// addTo puts the connections below everything that a client of AWS does with a
// request, in place of its own. It isn't for clients of what is on this machine.
func (c *connections) addTo(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("SharedConnections", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		if c.client == nil {
			return next.HandleDeserialize(ctx, in)
		}
		c.ahead(awsmiddleware.GetServiceID(ctx))
		response, meta, err := smithyhttp.NewClientHandlerWithOptions(c.client).Handle(ctx, in.Request)
		return middleware.DeserializeOutput{RawResponse: response}, meta, err
	}), middleware.After)
}

// addToMachine is for the clients of what is on this machine. It tells when that has
// answered: until then there may be no such thing.
func (c *connections) addToMachine(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("TellAhead", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, meta, err := next.HandleDeserialize(ctx, in)
		if err == nil {
			c.ahead(machine)
		}
		return out, meta, err
	}), middleware.After)
}

// machine is what connections.ahead is told for the instance's metadata and a
// container's credentials.
const machine = ""

// open opens a connection to where there is none yet, for a request that is to come.
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

// close drops what nobody uses any longer, be it still on its way.
func (c *connections) close() {
	if c.client != nil {
		c.client.CloseIdleConnections()
	}
}

// openAhead opens the connections that come after the service that is being asked, on
// the way to the registry's token. An endpoint of the user's own is near, and may be
// one for several services; nothing is opened there.
func (c *chain) openAhead(ctx context.Context, service string) {
	if service == ecr.ServiceID || service == ecrpublic.ServiceID || c.cfg.Region == "" {
		return
	}
	if service == machine && slices.Contains(c.steps, aws.CredentialSourceSTSAssumeRole) {
		c.openedSTS.Do(func() { c.open(ctx, c.stsEndpoint) })
	}
	c.openedRegistry.Do(func() { c.open(ctx, c.registryEndpoint) })
}

// open finds out where to before it goes on by itself, as the configuration doesn't
// stay as it is.
func (c *chain) open(ctx context.Context, endpoint func(context.Context) (string, error)) {
	if url, err := endpoint(ctx); err == nil {
		go c.connections.open(ctx, url)
	}
}

func (c *chain) stsEndpoint(ctx context.Context) (string, error) {
	o := sts.NewFromConfig(c.cfg).Options()
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, sts.EndpointParameters{
		Region:       aws.String(o.Region),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	return elsewhere(o.BaseEndpoint, endpoint, err)
}

// registryEndpoint is where the registry's token is asked for.
func (c *chain) registryEndpoint(ctx context.Context) (string, error) {
	if c.request.Registry.Public {
		o := c.publicClient().Options()
		endpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, ecrpublic.EndpointParameters{
			Region:       aws.String(o.Region),
			UseFIPS:      aws.Bool(false),
			UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		})
		return elsewhere(o.BaseEndpoint, endpoint, err)
	}
	o := c.privateClient().Options()
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(ctx, ecr.EndpointParameters{
		Region:       aws.String(o.Region),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	return elsewhere(o.BaseEndpoint, endpoint, err)
}

var errNear = errors.New("an endpoint of the user's own")

// elsewhere returns the URL of an endpoint of AWS's own.
func elsewhere(own *string, endpoint smithyendpoints.Endpoint, err error) (string, error) {
	if own != nil {
		err = errNear
	}
	return endpoint.URI.String(), err
}
