package awsapi

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/smithy-go/middleware"

	"docker-credential-ecr-login/internal/awstest"
)

// However fast AWS answers, a request is sent without an error.
func TestPlainBody(t *testing.T) {
	server, err := awstest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.AddUser("arn:aws:iam::111111111111:user/ci", "AKIAIOSFODNN7EXAMPLE", "secret")
	client := ecr.New(ecr.Options{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String(server.EndpointURL()),
		Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		HTTPClient:   &http.Client{Transport: &http.Transport{DisableKeepAlives: true, Proxy: nil}},
		APIOptions:   []func(*middleware.Stack) error{PlainBody},
	})
	for range 500 {
		sent := make(chan error, 10)
		ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
			WroteRequest: func(info httptrace.WroteRequestInfo) { sent <- info.Err },
		})
		if _, err := client.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{}); err != nil {
			t.Fatal(err)
		}
		if err := <-sent; err != nil {
			t.Fatalf("sending a request: %v", err)
		}
	}
}
