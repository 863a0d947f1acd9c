package awsapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"docker-credential-ecr-login/internal/diagnose"
	"docker-credential-ecr-login/internal/tokensource"
)

// trace watches what is asked of AWS: for the log, and for the reason of a
// failure, which the SDK's errors tell only half of. It holds no secret.
type requestLog struct {
	log tokensource.Logger

	mu    sync.Mutex
	last  diagnose.Call
	role  string // the first that could not be assumed
	sent  []string
	login string // the access token or key of a session that was refreshed
}

// got returns the last attempt, and the role that could not be assumed.
func (t *requestLog) lastCall() (last diagnose.Call, role string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last, t.role
}

// keep remembers what of a request is secret, so that it isn't shown where the answer
// repeats it.
func (t *requestLog) keep(req *smithyhttp.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range []string{"X-Amz-Security-Token", "X-Amz-Sso_bearer_token", "X-Aws-Ec2-Metadata-Token", "Authorization"} {
		if value := req.Header.Get(name); value != "" {
			t.sent = append(t.sent, value)
		}
	}
}

func (t *requestLog) sentSecrets() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.sent)
}

func (t *requestLog) note(a diagnose.Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = a
}

// forget makes what comes next the beginning.
func (t *requestLog) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last, t.role = diagnose.Call{}, ""
}

func (t *requestLog) addTo(stack *middleware.Stack) error { return t.add(stack, false) }

func (t *requestLog) addToMachine(stack *middleware.Stack) error { return t.add(stack, true) }

func (t *requestLog) add(stack *middleware.Stack, ofMachine bool) error {
	err := stack.Initialize.Add(middleware.InitializeMiddlewareFunc("TraceOperation", t.watchOperation), middleware.Before)
	if err != nil {
		return err
	}
	watch := func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		return t.watchAttempt(ctx, ofMachine, in, next)
	}
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("TraceAttempt", watch), middleware.Before)
}

func (t *requestLog) watchOperation(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (middleware.InitializeOutput, middleware.Metadata, error) {
	out, meta, err := next.HandleInitialize(ctx, in)
	switch params := in.Parameters.(type) {
	case *sts.AssumeRoleInput:
		t.assumed(params.RoleArn, err)
	case *sts.AssumeRoleWithWebIdentityInput:
		t.assumed(params.RoleArn, err)
	}
	switch result := out.Result.(type) {
	case *ssooidc.CreateTokenOutput:
		t.refreshed(result.AccessToken)
	case *signin.CreateOAuth2TokenOutput:
		if result.TokenOutput != nil && result.TokenOutput.AccessToken != nil {
			t.refreshed(result.TokenOutput.AccessToken.AccessKeyId)
		}
	}
	return out, meta, err
}

// refreshed notes the access token or key of a login session that was refreshed.
func (t *requestLog) refreshed(login *string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.login = aws.ToString(login)
}

func (t *requestLog) refreshedLogin() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.login
}

// assumed notes the role that failed. One that is assumed from it fails for that
// very reason, and after it.
func (t *requestLog) assumed(role *string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil && t.role == "" {
		t.role = aws.ToString(role)
	}
}

func (t *requestLog) watchAttempt(
	ctx context.Context, ofMachine bool, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	start := time.Now()
	this := diagnose.Call{Service: awsmiddleware.GetServiceID(ctx), OfMachine: ofMachine}
	if req, ok := in.Request.(*smithyhttp.Request); ok {
		this.Host = req.URL.Host
		t.keep(req)
	}
	// The SDK may give up waiting while this still waits.
	t.note(this)
	out, meta, err := next.HandleDeserialize(ctx, in)
	id := ""
	if resp, ok := out.RawResponse.(*smithyhttp.Response); ok && resp != nil {
		this.Status, id = resp.StatusCode, resp.Header.Get("X-Amzn-Requestid")
	}
	var said smithy.APIError
	if errors.As(err, &said) {
		this.Code = said.ErrorCode()
	}
	t.note(this)
	// The path of a container's credentials is a secret of its own.
	t.log.Debugf("asked %s: status %d, request id %q, %v", this.Host, this.Status, id,
		time.Since(start).Round(time.Millisecond))
	return out, meta, err
}

// tellProxyRefusal makes a refusal an error of its own kind; net/http has only
// the text of the status for it.
func tellProxyRefusal(t *http.Transport) {
	t.OnProxyConnectResponse = func(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
		if resp.StatusCode != http.StatusOK {
			return &diagnose.ProxyError{Proxy: proxy.Host, Status: resp.StatusCode}
		}
		return nil
	}
}
