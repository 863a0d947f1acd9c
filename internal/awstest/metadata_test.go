package awstest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"docker-credential-ecr-login/internal/awstest"
)

func TestMetadataModes(t *testing.T) {
	const (
		token        = "PUT /latest/api/token"
		roles        = "GET /latest/meta-data/iam/security-credentials/"
		region       = "GET /latest/meta-data/placement/region"
		notRequested = 0
	)
	for _, tt := range []struct {
		mode                 awstest.MetadataMode
		token, without, with int
	}{
		{mode: awstest.MetadataV2, token: 200, without: 401, with: 200},
		{mode: awstest.MetadataOptional, token: 200, without: 200, with: 200},
		{mode: awstest.MetadataV1, token: 404, without: 200, with: notRequested},
		{mode: awstest.MetadataOff, token: 404, without: 404, with: notRequested},
	} {
		srv := newServer(t)
		srv.SetInstanceRole(runnerARN)
		srv.SetMetadataMode(tt.mode)
		status, body := request(t, srv.MetadataURL(), token, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
		if status != tt.token {
			t.Errorf("mode %d: the token: %d, want %d", tt.mode, status, tt.token)
		}
		if got, _ := request(t, srv.MetadataURL(), roles, "X-Aws-Ec2-Metadata-Token", "made up"); got != tt.without {
			t.Errorf("mode %d: with a made-up token: %d, want %d", tt.mode, got, tt.without)
		}
		if tt.with == notRequested {
			continue
		}
		for _, path := range []string{roles, region} {
			if got, body := request(t, srv.MetadataURL(), path, "X-Aws-Ec2-Metadata-Token", body); got != tt.with {
				t.Errorf("mode %d: %s: %d %s", tt.mode, path, got, body)
			}
		}
		srv.SetClock(func() time.Time { return time.Now().Add(2 * time.Minute) })
		if got, _ := request(t, srv.MetadataURL(), roles, "X-Aws-Ec2-Metadata-Token", body); got != tt.without {
			t.Errorf("mode %d: with an expired token: %d, want %d", tt.mode, got, tt.without)
		}
	}
}

func request(t *testing.T, url, methodAndPath, header, value string) (int, string) {
	t.Helper()
	method, path, _ := strings.Cut(methodAndPath, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(header, value)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, readAll(t, resp)
}

func TestInstanceRegion(t *testing.T) {
	srv := newServer(t)
	srv.SetInstanceRegion("ap-south-1")
	out, err := imds.NewFromConfig(load(t, srv, "")).GetRegion(t.Context(), nil)
	if err != nil || out.Region != "ap-south-1" {
		t.Errorf("region %+v, %v", out, err)
	}
	if got := srv.Count("imds:document"); got != 1 {
		t.Errorf("counts %v", srv.Counts())
	}
}

func TestNoInstanceRole(t *testing.T) {
	srv := newServer(t)
	_, err := load(t, srv, "eu-west-1", byChain).Credentials.Retrieve(t.Context())
	if err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("error %v, want one with 404", err)
	}
}

func TestSessionsFixedOrFresh(t *testing.T) {
	srv := newServer(t)
	srv.SetInstanceRole(runnerARN)
	key := func() string {
		cr, err := load(t, srv, "eu-west-1", byChain).Credentials.Retrieve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return cr.AccessKeyID
	}
	first := key()
	if again := key(); again != first {
		t.Errorf("keys %s and %s, want the same", first, again)
	}
	srv.ExpireSessions()
	second := key()
	if second == first {
		t.Error("the same keys after their session expired")
	}
	srv.SetFreshSessions(true)
	if third := key(); third == second {
		t.Error("the same keys with fresh sessions")
	}
}

func TestHopLimit(t *testing.T) {
	srv := newServer(t)
	srv.SetInstanceRole(runnerARN)
	srv.Fail("imds:token", awstest.Fault{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := load(t, srv, "eu-west-1", byChain).Credentials.Retrieve(ctx); err == nil {
		t.Error("credentials without a token")
	}
	if got := srv.Count("imds:credentials"); got != 0 {
		t.Errorf("counts %v", srv.Counts())
	}
}

func TestContainer(t *testing.T) {
	srv := newServer(t)
	srv.SetContainerRole(runnerARN, "secret-token")
	other := httptest.NewServer(srv.ContainerHandler()) // another address
	t.Cleanup(other.Close)
	for _, url := range []string{srv.ContainerURL(), other.URL + "/v2/credentials/7"} {
		t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
		t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret-token")
		password(t, load(t, srv, "eu-west-1", byChain))
		if got := srv.Requests()[0]; got.Action != "container:credentials" || got.TargetRole != runnerARN {
			t.Errorf("recorded %+v", got)
		}
		t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong")
		if code, _ := refused(t, load(t, srv, "eu-west-1", byChain)); code != "AccessDenied" {
			t.Errorf("with the wrong token: %s", code)
		}
	}
	srv.SetContainerRole("", "")
	if code, _ := refused(t, load(t, srv, "eu-west-1", byChain)); code != "NoIdInRequest" {
		t.Errorf("without a role: %s", code)
	}
}
