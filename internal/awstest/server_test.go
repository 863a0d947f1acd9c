package awstest_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"docker-credential-ecr-login/internal/awsapi"
	"docker-credential-ecr-login/internal/awstest"
)

const (
	userARN   = "arn:aws:iam::111111111111:user/dev"
	runnerARN = "arn:aws:iam::111111111111:role/runner"
	pullARN   = "arn:aws:iam::222222222222:role/pull"
	keyID     = "AKIAEXAMPLE000000001"
	secret    = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// newServer returns a Server with a user, and clears AWS's variables.
func newServer(t *testing.T) *awstest.Server {
	t.Helper()
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", t.TempDir())
	srv, err := awstest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	srv.AddUser(userARN, keyID, secret)
	return srv
}

// proxied returns a client that uses the proxy and trusts the server's CA.
func proxied(t *testing.T, srv *awstest.Server) *awshttp.BuildableClient {
	t.Helper()
	proxy, err := url.Parse(srv.ProxyURL())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(srv.CAPEM()) {
		t.Fatal("no certificate in CAPEM")
	}
	return awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.TLSClientConfig.RootCAs = roots
		tr.TLSHandshakeTimeout = 0 // hundreds of handshakes at once are slow on a busy machine
		tr.Proxy = func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme == "https" {
				return proxy, nil
			}
			return nil, nil
		}
		t.Cleanup(tr.CloseIdleConnections)
	})
}

// load returns the SDK's configuration for a region. Unless opts change that, it has the user's
// keys.
func load(t *testing.T, srv *awstest.Server, region string, opts ...func(*config.LoadOptions) error) aws.Config {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", srv.MetadataURL())
	all := append([]func(*config.LoadOptions) error{
		config.WithRegion(region),
		config.WithHTTPClient(proxied(t, srv)),
		config.WithRetryer(func() aws.Retryer { return retry.AddWithMaxAttempts(retry.NewStandard(), 1) }),
		config.WithAPIOptions([]func(*middleware.Stack) error{awsapi.PlainBody}),
		asUser,
	}, opts...)
	cfg, err := config.LoadDefaultConfig(t.Context(), all...)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func asUser(o *config.LoadOptions) error {
	o.Credentials = credentials.NewStaticCredentialsProvider(keyID, secret, "")
	return nil
}

// byChain makes the SDK find the credentials in the environment and the files.
func byChain(o *config.LoadOptions) error {
	o.Credentials = nil
	return nil
}

// assuming returns cfg with the credentials of a role.
func assuming(cfg aws.Config, roleARN string, opts ...func(*stscreds.AssumeRoleOptions)) aws.Config {
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), roleARN, opts...))
	return cfg
}

// password gets an ECR token.
func password(t *testing.T, cfg aws.Config) string {
	t.Helper()
	out, err := ecr.NewFromConfig(cfg).GetAuthorizationToken(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return passwordIn(t, out.AuthorizationData[0].AuthorizationToken)
}

func passwordIn(t *testing.T, authorizationToken *string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(*authorizationToken)
	p, ok := strings.CutPrefix(string(b), "AWS:")
	if err != nil || !ok {
		t.Fatalf("authorizationToken %.20q isn't AWS:password: %v", b, err)
	}
	return p
}

// refused requests an ECR token and returns the code and the message of the error.
func refused(t *testing.T, cfg aws.Config) (code, message string) {
	t.Helper()
	_, err := ecr.NewFromConfig(cfg).GetAuthorizationToken(t.Context(), nil)
	return codeOf(t, err)
}

func codeOf(t *testing.T, err error) (code, message string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want one of the API", err)
	}
	return e.ErrorCode(), e.ErrorMessage()
}

func TestRoleOverInstanceMetadata(t *testing.T) {
	srv := newServer(t)
	srv.SetInstanceRole(runnerARN)
	srv.AddRole(awstest.Role{ARN: pullARN, Trusts: []string{runnerARN}})
	cfg := assuming(load(t, srv, "eu-central-1", byChain), pullARN, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "job-7" })

	out, err := ecr.NewFromConfig(cfg).GetAuthorizationToken(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	data := out.AuthorizationData[0]
	if got, want := *data.ProxyEndpoint, "https://222222222222.dkr.ecr.eu-central-1.amazonaws.com"; got != want {
		t.Errorf("proxyEndpoint %s, want %s", got, want)
	}
	if left := time.Until(*data.ExpiresAt); left < 11*time.Hour || left > 12*time.Hour {
		t.Errorf("token lasts %v, want 12h", left)
	}
	if n := len(passwordIn(t, data.AuthorizationToken)); n < 2300 || n > 2700 {
		t.Errorf("password of %d characters, want about 2500", n)
	}

	want := map[string]int{
		"imds:token": 1, "imds:roles": 1, "imds:credentials": 1,
		"sts:AssumeRole": 1, "ecr:GetAuthorizationToken": 1,
	}
	if got := srv.Counts(); !reflect.DeepEqual(got, want) {
		t.Errorf("counts %v, want %v", got, want)
	}
	if got, want := srv.Connects(), []string{"sts.eu-central-1.amazonaws.com", "api.ecr.eu-central-1.amazonaws.com"}; !slices.Equal(got, want) {
		t.Errorf("connects %v, want %v", got, want)
	}
	all := srv.Requests()
	if got, want := all[3:], []awstest.Request{{
		Action: "sts:AssumeRole", Host: "sts.eu-central-1.amazonaws.com", Path: "/", Region: "eu-central-1", Status: 200,
		Principal:  "arn:aws:sts::111111111111:assumed-role/runner/i-0abc1234def567890",
		TargetRole: pullARN,
	}, {
		Action: "ecr:GetAuthorizationToken", Host: "api.ecr.eu-central-1.amazonaws.com", Path: "/", Region: "eu-central-1", Status: 200,
		Principal: "arn:aws:sts::222222222222:assumed-role/pull/job-7",
	}}; !reflect.DeepEqual(got, want) {
		t.Errorf("requests\n%+v, want\n%+v", got, want)
	}
	srv.ResetCounts()
	if n := len(srv.Requests()) + len(srv.Counts()) + len(srv.Connects()); n != 0 {
		t.Errorf("%d records left after ResetCounts", n)
	}
}

func TestPublicToken(t *testing.T) {
	srv := newServer(t)
	out, err := ecrpublic.NewFromConfig(load(t, srv, "us-east-1")).GetAuthorizationToken(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := passwordIn(t, out.AuthorizationData.AuthorizationToken)
	if who, err := srv.VerifyToken(p, "public.ecr.aws"); who != userARN || err != nil {
		t.Errorf("VerifyToken: %q, %v", who, err)
	}
	if _, err := srv.VerifyToken(p, "111111111111.dkr.ecr.us-east-1.amazonaws.com"); err == nil {
		t.Error("a public token was good for a private registry")
	}
	for _, action := range []string{"ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"} {
		srv.Deny(action, userARN)
		_, err := ecrpublic.NewFromConfig(load(t, srv, "us-east-1")).GetAuthorizationToken(t.Context(), nil)
		if code, message := codeOf(t, err); code != "AccessDeniedException" || !strings.Contains(message, action) {
			t.Errorf("without %s: %s: %s", action, code, message)
		}
		srv.Allow(action, userARN)
	}
}

func TestPlainEndpoint(t *testing.T) {
	srv := newServer(t)
	cfg := load(t, srv, "ap-south-1")
	cfg.BaseEndpoint = aws.String(srv.EndpointURL())
	srv.AddRole(awstest.Role{ARN: pullARN, Trusts: []string{userARN}})
	password(t, assuming(cfg, pullARN))
	if got := srv.Connects(); len(got) != 0 {
		t.Errorf("the proxy got requests for %v", got)
	}
	if got := srv.Count("ecr:GetAuthorizationToken"); got != 1 {
		t.Errorf("%d requests for a token, want 1", got)
	}
}

func TestTwoHundredClientsAtOnce(t *testing.T) {
	srv := newServer(t)
	srv.AddRole(awstest.Role{ARN: pullARN, Trusts: []string{"arn:aws:iam::111111111111:root"}})
	cfg := load(t, srv, "us-west-2")
	const clients = 200
	passwords := make([]string, clients)
	var wg sync.WaitGroup
	for i := range passwords {
		wg.Go(func() {
			own := cfg.Copy()
			own.HTTPClient = proxied(t, srv)
			out, err := ecr.NewFromConfig(assuming(own, pullARN)).GetAuthorizationToken(context.Background(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			passwords[i] = *out.AuthorizationData[0].AuthorizationToken
		})
	}
	wg.Wait()
	slices.Sort(passwords)
	if n := len(slices.Compact(passwords)); n != clients {
		t.Errorf("%d different tokens, want %d", n, clients)
	}
	if a, b := srv.Count("sts:AssumeRole"), srv.Count("ecr:GetAuthorizationToken"); a != clients || b != clients {
		t.Errorf("counted %d and %d, want %d of each", a, b, clients)
	}
}
