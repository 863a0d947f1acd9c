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

// A Server is a running stand-in. All its methods may be called at any time,
// from many goroutines.
type Server struct {
	ca      *certificateAuthority
	tunnels *tunnels
	servers []*http.Server
	serving sync.WaitGroup
	done    chan struct{} // closed by Close: ends what hangs
	close   sync.Once

	proxyURL, endpointURL, metadataURL, containerURL string

	clock   atomic.Pointer[func() time.Time]
	latency atomic.Int64 // a time.Duration
	connect atomic.Int64 // so

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

// Start listens on loopback and returns a running Server that knows nobody.
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
			l = slowListener{l, srv} // a way through the proxy is slow by itself
		}
		srv.run(l, &http.Server{Handler: s.handler})
	}
	srv.run(srv.tunnels, &http.Server{Handler: http.HandlerFunc(srv.serveTunnel), ConnContext: withTunnelHost})
	return srv, nil
}

func (srv *Server) run(l net.Listener, s *http.Server) {
	// A client that does not trust our authority is a case some tests are
	// about; its handshake error is the client's to report.
	s.ErrorLog = log.New(io.Discard, "", 0)
	s.ReadHeaderTimeout = time.Minute
	srv.servers = append(srv.servers, s)
	srv.serving.Go(func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("stand-in: %v", err))
		}
	})
}

// Close stops listening and drops every connection, those of hung requests
// too.
func (srv *Server) Close() {
	srv.close.Do(func() {
		close(srv.done)
		for _, s := range srv.servers {
			s.Close()
		}
		srv.serving.Wait()
	})
}

// ProxyURL is what HTTPS_PROXY must hold for a client to reach the server under
// the names of AWS.
func (srv *Server) ProxyURL() string { return srv.proxyURL }

// EndpointURL is a plain HTTP endpoint of every service, for AWS_ENDPOINT_URL
// and its kin. The service is told by the request, and any region is right.
func (srv *Server) EndpointURL() string { return srv.endpointURL }

// MetadataURL is the EC2 instance metadata service, for
// AWS_EC2_METADATA_SERVICE_ENDPOINT.
func (srv *Server) MetadataURL() string { return srv.metadataURL }

// ContainerURL is where the container's credentials are, for
// AWS_CONTAINER_CREDENTIALS_FULL_URI. Every other path of the same server
// gives them as well.
func (srv *Server) ContainerURL() string { return srv.containerURL + "/v1/credentials" }

// CAPEM is the certificate of the authority that signs for the hosts behind
// the proxy, for AWS_CA_BUNDLE.
func (srv *Server) CAPEM() []byte { return srv.ca.pem }

// SetClock makes now the server's clock: that of its Date headers, of the
// signatures it accepts and of everything that expires. Certificates keep to
// the real time.
func (srv *Server) SetClock(now func() time.Time) { srv.clock.Store(&now) }

func (srv *Server) now() time.Time { return (*srv.clock.Load())() }

// SetConnectLatency delays every new connection to a service, metadata included,
// by d for TCP and, where there is TLS, by d again for the handshake.
func (srv *Server) SetConnectLatency(d time.Duration) { srv.connect.Store(int64(d)) }

// SetLatency delays every answer of every service, metadata included, by d.
func (srv *Server) SetLatency(d time.Duration) { srv.latency.Store(int64(d)) }
