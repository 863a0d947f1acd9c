package awstest

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A Server is a running stand-in. All methods may be called at any time, from many goroutines.
type Server struct {
	ca      *certificateAuthority
	tunnels *tunnels
	servers []*http.Server
	serving sync.WaitGroup
	done    chan struct{} // closed by Close
	close   sync.Once

	proxyURL, endpointURL, metadataURL, containerURL string

	clock   atomic.Pointer[func() time.Time]
	latency atomic.Int64 // a time.Duration
	connect atomic.Int64 // a time.Duration

	proxy      proxyState
	log        requestLog
	faults     faults
	quotas     quotas
	principals principals
	tokens     tokens
	instance   instance
	container  container
	portals    portals
	logins     logins
}

// NewServer starts a Server on loopback and returns it. It knows no principals. The caller must
// call Close.
func NewServer() (*Server, error) {
	ca, err := newCertificateAuthority()
	if err != nil {
		return nil, err
	}
	srv := &Server{ca: ca, done: make(chan struct{})}
	srv.tunnels = newTunnels(srv.done)
	srv.SetClock(time.Now)
	srv.SetTokenTTL(12 * time.Hour)
	srv.SetInstanceRegion("us-east-1")

	for _, s := range []struct {
		url     *string
		handler http.Handler
	}{
		{&srv.proxyURL, http.HandlerFunc(srv.serveProxy)},
		{&srv.endpointURL, srv.services(endpoint{})},
		{&srv.metadataURL, srv.MetadataHandler()},
		{&srv.containerURL, srv.ContainerHandler()},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			srv.Close()
			return nil, fmt.Errorf("stand-in: %w", err)
		}
		*s.url = "http://" + l.Addr().String()
		if s.url != &srv.proxyURL {
			l = slowListener{l, srv} // the proxy delays its own connections
		}
		srv.run(l, &http.Server{Handler: s.handler})
	}
	srv.run(srv.tunnels, &http.Server{Handler: http.HandlerFunc(srv.serveTunnel), ConnContext: withTunnelHost})
	return srv, nil
}

func (srv *Server) run(l net.Listener, s *http.Server) {
	// Some tests have clients that don't trust the CA. The client reports the error.
	s.ErrorLog = log.New(io.Discard, "", 0)
	s.ReadHeaderTimeout = time.Minute
	srv.servers = append(srv.servers, s)
	srv.serving.Go(func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("stand-in: %v", err))
		}
	})
}

// Close stops listening and drops every connection, including those of hanging requests.
func (srv *Server) Close() {
	srv.close.Do(func() {
		close(srv.done)
		for _, s := range srv.servers {
			s.Close()
		}
		srv.serving.Wait()
	})
}

// ProxyURL returns the URL for HTTPS_PROXY, by which a client reaches the server under the names of
// AWS.
func (srv *Server) ProxyURL() string { return srv.proxyURL }

// EndpointURL returns a plain HTTP endpoint of every service, for AWS_ENDPOINT_URL and similar
// variables. The request itself says which service it is for. Every region is accepted.
func (srv *Server) EndpointURL() string { return srv.endpointURL }

// MetadataURL returns the URL of the EC2 instance metadata service, for
// AWS_EC2_METADATA_SERVICE_ENDPOINT.
func (srv *Server) MetadataURL() string { return srv.metadataURL }

// ContainerURL returns the URL of the container's credentials, for
// AWS_CONTAINER_CREDENTIALS_FULL_URI. Every other path of that server has them, too.
func (srv *Server) ContainerURL() string { return srv.containerURL + "/v1/credentials" }

// CAPEM returns the CA certificate for the hosts behind the proxy, for AWS_CA_BUNDLE.
func (srv *Server) CAPEM() []byte { return srv.ca.pem }

// SetClock sets the server's clock. It applies to Date headers, to the signatures that are
// accepted, and to everything that expires. Certificates use the real time.
func (srv *Server) SetClock(now func() time.Time) { srv.clock.Store(&now) }

func (srv *Server) now() time.Time { return (*srv.clock.Load())() }

// SetConnectLatency delays every new connection to a service, including the metadata service, by d
// for TCP and by d again for TLS.
func (srv *Server) SetConnectLatency(d time.Duration) { srv.connect.Store(int64(d)) }

// SetLatency delays every response of every service, including the metadata service, by d.
func (srv *Server) SetLatency(d time.Duration) { srv.latency.Store(int64(d)) }
