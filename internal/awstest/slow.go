package awstest

import (
	"context"
	"net"
	"sync"
	"time"
)

// slowListener delays its connections.
type slowListener struct {
	net.Listener
	server *Server
}

func (l slowListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.server.slow(conn), nil
}

// slow delays the first write of a connection, as a round trip before it would.
func (srv *Server) slow(conn net.Conn) net.Conn {
	if d := time.Duration(srv.connect.Load()); d > 0 {
		return &slowConn{Conn: conn, wait: func() { srv.pause(context.Background(), d) }}
	}
	return conn
}

type slowConn struct {
	net.Conn
	once sync.Once
	wait func()
}

func (s *slowConn) Write(p []byte) (int, error) {
	s.once.Do(s.wait)
	return s.Conn.Write(p)
}
