package awsapi

import (
	"context"
	"crypto/x509"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// connections are those of one request for a token to AWS itself. Every client of the SDK would
// build a pool of its own. With one pool for all, a connection can be opened before it is known
// which client is to use it.
type connections struct {
	client *http.Client
	// ahead is called with the service that is being asked, before or while it is.
	ahead func(service string)
}

// useFor makes the clients that are made from a configuration, and those inside
// its credentials, use these connections. What they were given to use is what the
// user has configured: proxy, CA certificates, time. If no CA certificates are configured,
// roots are trusted, and if those are nil, the system's.
func (c *connections) useFor(cfg aws.Config, roots *x509.CertPool) {
	built, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		return
	}
	if frozen, ok := built.Freeze().(*http.Client); ok {
		client := *frozen
		// The SDK's wrapper hides CloseIdleConnections.
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

// addToMachine calls ahead when a service on this machine has answered: until then it may not
// exist.
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

// machine is the service for connections.ahead of the instance's metadata and a container's
// credentials.
const machine = ""

// close drops idle connections, even those on their way.
func (c *connections) close() {
	if c.client != nil {
		c.client.CloseIdleConnections()
	}
}
