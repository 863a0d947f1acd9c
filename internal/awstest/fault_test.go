package awstest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"docker-credential-ecr-login/internal/awstest"
)

const getToken = "ecr:GetAuthorizationToken"

func TestHang(t *testing.T) {
	srv := newServer(t)
	srv.Fail(getToken, awstest.Fault{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := ecr.NewFromConfig(load(t, srv, "eu-west-1")).GetAuthorizationToken(ctx, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline's", err)
	}
	if got := srv.Requests(); len(got) != 1 || got[0].Status != 0 {
		t.Errorf("recorded %+v", got)
	}
	srv.Heal(getToken)
	password(t, load(t, srv, "eu-west-1"))
}

func TestCloseEndsHangingRequests(t *testing.T) {
	srv := newServer(t)
	srv.Fail("*", awstest.Fault{Hang: true})
	other := httptest.NewServer(srv.MetadataHandler()) // the server can't close it
	defer other.Close()
	api := ecr.NewFromConfig(load(t, srv, "eu-west-1"))
	failed := make(chan error, 2)
	go func() {
		_, err := api.GetAuthorizationToken(context.Background(), nil)
		failed <- err
	}()
	go func() {
		_, err := http.Get(other.URL + "/latest/meta-data/placement/region")
		failed <- err
	}()
	for _, action := range []string{getToken, "imds:region"} {
		if err := srv.Await(t.Context(), action, 1); err != nil {
			t.Fatal(err)
		}
	}
	srv.Close()
	for range 2 {
		select {
		case err := <-failed:
			if err == nil {
				t.Error("a hung request was answered")
			}
		case <-time.After(10 * time.Second):
			other.CloseClientConnections()
			t.Fatal("still hanging after Close")
		}
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault awstest.Fault
		want  string // in the error
	}{
		{"throttling", awstest.Fault{Code: "ThrottlingException", Message: "Rate exceeded"}, "ThrottlingException: Rate exceeded"},
		{"server error", awstest.Fault{Status: 503, Code: "ServerException"}, "StatusCode: 503"},
		{"garbage", awstest.Fault{Body: []byte("<html>a captive portal</html>")}, "deserialization failed"},
		{"reset", awstest.Fault{Reset: true}, syscall.ECONNRESET.Error()},
		{"header", awstest.Fault{Status: 400, Header: http.Header{"X-Amzn-Requestid": {"req-7"}}}, "req-7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := newServer(t)
			srv.Fail(getToken, tt.fault)
			_, err := ecr.NewFromConfig(load(t, srv, "eu-west-1")).GetAuthorizationToken(t.Context(), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestFaultOfSTS(t *testing.T) {
	srv := newServer(t)
	srv.Fail("sts:*", awstest.Fault{Status: 500, Code: "InternalFailure", Message: "oh"})
	if code, message := refused(t, assuming(load(t, srv, "eu-west-1"), pullARN)); code != "InternalFailure" || message != "oh" {
		t.Errorf("%s: %s", code, message)
	}
}

func TestFaultTimes(t *testing.T) {
	srv := newServer(t)
	srv.Fail("*", awstest.Fault{Status: 500, Code: "ServerException", Times: 2})
	cfg := load(t, srv, "eu-west-1")
	cfg.Retryer = func() aws.Retryer { // three attempts
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
	}
	password(t, cfg)
	if got := srv.Count(getToken); got != 3 {
		t.Errorf("%d requests, want 3", got)
	}
}

func TestDelayAndLatency(t *testing.T) {
	srv := newServer(t)
	srv.SetLatency(60 * time.Millisecond)
	srv.Fail(getToken, awstest.Fault{Delay: 60 * time.Millisecond})
	cfg := load(t, srv, "eu-west-1")
	began := time.Now()
	password(t, cfg)
	if took := time.Since(began); took < 120*time.Millisecond {
		t.Errorf("took %v, want at least 120ms", took)
	}
}
