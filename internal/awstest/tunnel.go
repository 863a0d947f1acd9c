package awstest

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
)

// A tunnel is a client's connection after CONNECT.
type tunnel struct {
	net.Conn
	// The client may have sent its first bytes together with CONNECT.
	buffered io.Reader
	host     string
}

func (t *tunnel) Read(p []byte) (int, error) { return t.buffered.Read(p) }

// tunnels is a listener whose connections come through the proxy.
type tunnels struct {
	conns  chan net.Conn
	done   <-chan struct{} // the server is closed
	closed chan struct{}
	close  sync.Once
}

func newTunnels(done <-chan struct{}) *tunnels {
	return &tunnels{conns: make(chan net.Conn), done: done, closed: make(chan struct{})}
}

func (t *tunnels) add(conn net.Conn) {
	select {
	case t.conns <- conn:
	case <-t.done:
		conn.Close()
	}
}

// Accept implements [net.Listener].
func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case conn := <-t.conns:
		return conn, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (t *tunnels) Close() error {
	t.close.Do(func() { close(t.closed) })
	return nil
}

// Addr implements [net.Listener]. The http.Server uses no more than a name.
func (t *tunnels) Addr() net.Addr { return &net.UnixAddr{Name: "tunnels"} }

type tunnelHostKey struct{}

func withTunnelHost(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, tunnelHostKey{}, conn.(*tls.Conn).NetConn().(*tunnel).host)
}

func tunnelHost(r *http.Request) string { return r.Context().Value(tunnelHostKey{}).(string) }

// reset drops a request's connection with a TCP reset, as a machine that crashes does.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn().(*tunnel).Conn
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
