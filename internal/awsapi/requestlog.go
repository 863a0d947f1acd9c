package awsapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
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

// requestLog watches the requests to AWS: for the log, and for the reason of a
// failure, which the SDK's errors hold only half of.
type requestLog struct {
	log  tokensource.Logger
	mu   sync.Mutex
	seen observed
}

// observed is what was seen of the requests so far.
type observed struct {
	last  diagnose.Call
	role  string   // the first that could not be assumed
	sent  []string // secrets, which an answer may repeat
	login string   // the access token or key of a session that was refreshed
}

func (l *requestLog) soFar() observed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

func (l *requestLog) note(change func(*observed)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.seen)
}

func (l *requestLog) noteCall(last diagnose.Call) { l.note(func(r *observed) { r.last = last }) }

// watch returns the option for clients that has their requests noted. ofMachine is set for services
// on this machine.
func (l *requestLog) watch(ofMachine bool) func(*middleware.Stack) error {
	watchCall := func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		return l.watchCall(ctx, ofMachine, in, next)
	}
	return func(stack *middleware.Stack) error {
		return errors.Join(
			stack.Initialize.Add(middleware.InitializeMiddlewareFunc("LogOperation", l.watchOperation), middleware.Before),
			stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("LogRequest", watchCall), middleware.Before))
	}
}

func (l *requestLog) watchOperation(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (middleware.InitializeOutput, middleware.Metadata, error) {
	out, meta, err := next.HandleInitialize(ctx, in)
	switch params := in.Parameters.(type) {
	case *sts.AssumeRoleInput:
		l.assumed(params.RoleArn, err)
	case *sts.AssumeRoleWithWebIdentityInput:
		l.assumed(params.RoleArn, err)
	}
	switch result := out.Result.(type) {
	case *ssooidc.CreateTokenOutput:
		l.refreshed(result.AccessToken)
	case *signin.CreateOAuth2TokenOutput:
		if result.TokenOutput != nil && result.TokenOutput.AccessToken != nil {
			l.refreshed(result.TokenOutput.AccessToken.AccessKeyId)
		}
	}
	return out, meta, err
}

// refreshed notes the access token or key of a login session that was refreshed.
func (l *requestLog) refreshed(login *string) {
	l.note(func(r *observed) { r.login = aws.ToString(login) })
}

// assumed notes the role that failed. A role that is assumed from it fails for the same reason,
// and after it.
func (l *requestLog) assumed(role *string, err error) {
	if err != nil {
		l.note(func(r *observed) { r.role = cmp.Or(r.role, aws.ToString(role)) })
	}
}

func (l *requestLog) watchCall(
	ctx context.Context, ofMachine bool, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	start := time.Now()
	this := diagnose.Call{Service: awsmiddleware.GetServiceID(ctx), OfMachine: ofMachine}
	if req, ok := in.Request.(*smithyhttp.Request); ok {
		this.Host = req.URL.Host
		for _, name := range []string{"X-Amz-Security-Token", "X-Amz-Sso_bearer_token", "X-Aws-Ec2-Metadata-Token", "Authorization"} {
			if value := req.Header.Get(name); value != "" {
				l.note(func(r *observed) { r.sent = append(r.sent, value) })
			}
		}
	}
	// The SDK may give up waiting while this still waits.
	l.noteCall(this)
	out, meta, err := next.HandleDeserialize(ctx, in)
	id := ""
	if resp, ok := out.RawResponse.(*smithyhttp.Response); ok && resp != nil {
		this.Status, id = resp.StatusCode, resp.Header.Get("X-Amzn-Requestid")
	}
	if answer, ok := errors.AsType[smithy.APIError](err); ok {
		this.Code = answer.ErrorCode()
	}
	l.noteCall(this)
	// The path of a container's credentials is a secret of its own.
	l.log.Debugf("asked %s: status %d, request id %q, %v", this.Host, this.Status, id,
		time.Since(start).Round(time.Millisecond))
	return out, meta, err
}

// tellProxyRefusal makes a proxy's refusal an error of its own type; net/http has only
// the text of the status for it.
func tellProxyRefusal(t *http.Transport) {
	t.OnProxyConnectResponse = func(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
		if resp.StatusCode != http.StatusOK {
			return &diagnose.ProxyError{Proxy: proxy.Host, Status: resp.StatusCode}
		}
		return nil
	}
}
