package awsapi

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// A connection that is opened early is the one that the request uses, nothing is sent
// on it before, and none is left behind.
func TestConnections(t *testing.T) {
	states := make(chan http.ConnState, 100)
	var requests []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		requests = append(requests, r.Method)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) { states <- s }
	server.StartTLS()
	defer server.Close()
	await := func(want http.ConnState) {
		t.Helper()
		select {
		case got := <-states:
			if got != want {
				t.Fatalf("a connection is %v, want %v", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no connection is %v", want)
		}
	}

	var c connections
	c.useFor(aws.Config{HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		tr.ForceAttemptHTTP2 = false
		tr.MaxConnsPerHost = 1 // the request waits for the one that is on its way
	})}, nil)
	c.open(t.Context(), server.URL)
	await(http.StateNew)
	resp, err := c.client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	await(http.StateActive)
	await(http.StateIdle)
	if len(requests) != 1 || requests[0] != http.MethodGet {
		t.Errorf("requests %q, want the one", requests)
	}
	c.close()
	await(http.StateClosed)
}
