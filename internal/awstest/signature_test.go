package awstest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestSignatureRefused(t *testing.T) {
	const (
		mismatch = "The request signature we calculated does not match"
		invalid  = "The security token included in the request is invalid."
	)
	static := func(id, secret, token string) func(*aws.Config) {
		return func(cfg *aws.Config) {
			cfg.Credentials = credentials.NewStaticCredentialsProvider(id, secret, token)
		}
	}
	for _, tt := range []struct {
		name     string
		change   func(*aws.Config)
		ecr, sts string
		message  string
	}{
		{name: "wrong secret", change: static(keyID, "nonsense", ""), ecr: "InvalidSignatureException", sts: "SignatureDoesNotMatch", message: mismatch},
		{name: "unknown key", change: static("AKIANOBODY", secret, ""), ecr: "UnrecognizedClientException", sts: "InvalidClientTokenId", message: invalid},
		{name: "token too many", change: static(keyID, secret, "token"), ecr: "UnrecognizedClientException", sts: "InvalidClientTokenId", message: invalid},
		{name: "no signature", change: func(cfg *aws.Config) { cfg.Credentials = aws.AnonymousCredentials{} }, ecr: "MissingAuthenticationTokenException", sts: "MissingAuthenticationToken", message: "Missing Authentication Token"},
		{name: "body changed after signing", change: tampering("\n"), ecr: "InvalidSignatureException", sts: "SignatureDoesNotMatch", message: mismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t)
			cfg := load(t, srv, "eu-west-1")
			tt.change(&cfg)
			if code, message := refused(t, cfg); code != tt.ecr || !containsFold(message, tt.message) {
				t.Errorf("ECR: %s: %s, want %s", code, message, tt.ecr)
			}
			_, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
			if code, message := codeOf(t, err); code != tt.sts || !containsFold(message, tt.message) {
				t.Errorf("STS: %s: %s, want %s", code, message, tt.sts)
			}
			for _, r := range srv.Requests() {
				if r.Principal != "" {
					t.Errorf("%s is recorded for %s", r.Action, r.Principal)
				}
			}
		})
	}
}

func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

// tampering changes a configuration so that text is appended to a body after it was signed.
func tampering(more string) func(*aws.Config) {
	return func(cfg *aws.Config) {
		client := cfg.HTTPClient
		cfg.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			b = append(b, more...)
			r.Body = io.NopCloser(bytes.NewReader(b))
			r.ContentLength = int64(len(b))
			return client.Do(r)
		})
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestCredentialScope(t *testing.T) {
	srv := newServer(t)
	// The client signs for one region and calls another.
	cfg := load(t, srv, "us-east-1")
	there := func(o *ecr.Options) { o.BaseEndpoint = aws.String("https://api.ecr.eu-west-1.amazonaws.com") }
	_, err := ecr.NewFromConfig(cfg, there).GetAuthorizationToken(t.Context(), nil)
	if code, message := codeOf(t, err); code != "InvalidSignatureException" || !strings.Contains(message, "not 'us-east-1'") {
		t.Errorf("a signature for another region: %s: %s", code, message)
	}
	// The global endpoint is us-east-1.
	global := func(o *sts.Options) { o.BaseEndpoint = aws.String("https://sts.amazonaws.com") }
	if _, err := sts.NewFromConfig(cfg, global).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Error(err)
	}
	cfg.Region = "eu-west-1"
	_, err = sts.NewFromConfig(cfg, global).GetCallerIdentity(t.Context(), nil)
	if code, _ := codeOf(t, err); code != "SignatureDoesNotMatch" {
		t.Errorf("a signature for eu-west-1 at the global endpoint: %s", code)
	}
}

func TestSignatureForAnotherService(t *testing.T) {
	srv := newServer(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.ecr.eu-west-1.amazonaws.com/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken")
	sum := sha256.Sum256([]byte("{}"))
	who := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}
	if err := v4.NewSigner().SignHTTP(t.Context(), who, r, hex.EncodeToString(sum[:]), "sts", "eu-west-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	resp, err := proxied(t, srv).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if body := readAll(t, resp); resp.StatusCode != 400 || !strings.Contains(body, "correct service: 'ecr'") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestExpiredSession(t *testing.T) {
	srv := newServer(t)
	srv.SetContainerRole(runnerARN, "")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", srv.ContainerURL())
	cfg := load(t, srv, "eu-west-1", byChain)
	password(t, cfg)
	srv.ExpireSessions()
	if code, _ := refused(t, cfg); code != "ExpiredTokenException" {
		t.Errorf("code %s, want ExpiredTokenException", code)
	}
	// The container's service notices that and issues another.
	password(t, load(t, srv, "eu-west-1", byChain))
}

func TestClock(t *testing.T) {
	for _, tt := range []struct {
		ahead   time.Duration
		message string
	}{
		{10 * time.Minute, "Signature expired: "},
		{-10 * time.Minute, "Signature not yet current: "},
	} {
		srv := newServer(t)
		srv.SetClock(func() time.Time { return time.Now().Add(tt.ahead) })
		code, message := refused(t, load(t, srv, "eu-west-1"))
		if code != "InvalidSignatureException" || !strings.HasPrefix(message, tt.message) {
			t.Errorf("%v ahead: %s: %s", tt.ahead, code, message)
		}
		// With its usual retries the SDK corrects its clock by the Date header.
		cfg := load(t, srv, "eu-west-1")
		cfg.Retryer = nil
		password(t, cfg)
	}
}
