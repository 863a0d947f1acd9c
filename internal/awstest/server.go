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
	log    requestLog
	faults     faults
	quotas     quotas
	principals principals
	tokens     tokens
	instance   instance
	container      container
	portals    portals
	logins     logins
}

// Start listens on loopback and returns a running Server that knows nobody.
func NewServer() (*Server, error) {
	ca, err := newCertificateAuthority()
	if err != nil {
		return nil, err
	}
	c := &Server{ca: ca, done: make(chan struct{})}
	c.tunnels = newTunnels(c.done)
	c.SetClock(time.Now)
	c.SetTokenTTL(12 * time.Hour)
	c.SetInstanceRegion("us-east-1")

	for _, s := range []struct {
		url     *string
		handler http.Handler
	}{
		{&c.proxyURL, http.HandlerFunc(c.serveProxy)},
		{&c.endpointURL, c.services(endpoint{})},
		{&c.metadataURL, c.MetadataHandler()},
		{&c.containerURL, c.ContainerHandler()},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			c.Close()
			return nil, fmt.Errorf("stand-in: %w", err)
		}
		*s.url = "http://" + l.Addr().String()
		if s.url != &c.proxyURL {
			l = slowListener{l, c} // a way through the proxy is slow by itself
		}
		c.run(l, &http.Server{Handler: s.handler})
	}
	c.run(c.tunnels, &http.Server{Handler: http.HandlerFunc(c.serveTunnel), ConnContext: withTunnelHost})
	return c, nil
}

func (c *Server) run(l net.Listener, s *http.Server) {
	// A client that does not trust our authority is a case some tests are
	// about; its handshake error is the client's to report.
	s.ErrorLog = log.New(io.Discard, "", 0)
	s.ReadHeaderTimeout = time.Minute
	c.servers = append(c.servers, s)
	c.serving.Go(func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("stand-in: %v", err))
		}
	})
}

// Close stops listening and drops every connection, those of hung requests
// too.
func (c *Server) Close() {
	c.close.Do(func() {
		close(c.done)
		for _, s := range c.servers {
			s.Close()
		}
		c.serving.Wait()
	})
}

// ProxyURL is what HTTPS_PROXY must hold for a client to reach the server under
// the names of AWS.
func (c *Server) ProxyURL() string { return c.proxyURL }

// EndpointURL is a plain HTTP endpoint of every service, for AWS_ENDPOINT_URL
// and its kin. The service is told by the request, and any region is right.
func (c *Server) EndpointURL() string { return c.endpointURL }

// MetadataURL is the EC2 instance metadata service, for
// AWS_EC2_METADATA_SERVICE_ENDPOINT.
func (c *Server) MetadataURL() string { return c.metadataURL }

// ContainerURL is where the container's credentials are, for
// AWS_CONTAINER_CREDENTIALS_FULL_URI. Every other path of the same server
// gives them as well.
func (c *Server) ContainerURL() string { return c.containerURL + "/v1/credentials" }

// CAPEM is the certificate of the authority that signs for the hosts behind
// the proxy, for AWS_CA_BUNDLE.
func (c *Server) CAPEM() []byte { return c.ca.pem }

// SetClock makes now the server's clock: that of its Date headers, of the
// signatures it accepts and of everything that expires. Certificates keep to
// the real time.
func (c *Server) SetClock(now func() time.Time) { c.clock.Store(&now) }

func (c *Server) now() time.Time { return (*c.clock.Load())() }

// SetConnectLatency delays every new connection to a service, metadata included,
// by d for TCP and, where there is TLS, by d again for the handshake.
func (c *Server) SetConnectLatency(d time.Duration) { c.connect.Store(int64(d)) }

// SetLatency delays every answer of every service, metadata included, by d.
func (c *Server) SetLatency(d time.Duration) { c.latency.Store(int64(d)) }
