package awstest_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
)

func TestQuota(t *testing.T) {
	srv := newServer(t)
	var ahead atomic.Int64
	began := time.Now() // where the clock stops
	srv.SetClock(func() time.Time { return began.Add(time.Duration(ahead.Load())) })
	srv.SetQuota(getToken, 2)
	cfg := load(t, srv, "eu-west-1")
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	api := ecr.NewFromConfig(cfg)
	request := func() string {
		_, err := api.GetAuthorizationToken(t.Context(), nil)
		if err == nil {
			return "given"
		}
		if retry.DefaultThrottles[0].IsErrorThrottle(err) == aws.TrueTernary {
			return "throttled"
		}
		return err.Error()
	}
	for i, step := range []struct {
		later time.Duration
		want  string
	}{
		{0, "given"},
		{0, "given"},
		{0, "throttled"},
		{time.Second / 2, "given"},
		{0, "throttled"},
		{time.Minute, "given"},
		{0, "given"},
		{0, "throttled"},
	} {
		ahead.Add(int64(step.later))
		if got := request(); got != step.want {
			t.Errorf("request %d: %s, want %s", i+1, got, step.want)
		}
	}
	srv.SetQuota(getToken, 0)
	if got := request(); got != "given" {
		t.Errorf("without a quota: %s", got)
	}
	if n := srv.Count(getToken); n != 9 {
		t.Errorf("%d requests were counted, want 9", n)
	}
}
