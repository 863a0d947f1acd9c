package awstest

import (
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"
)

type proxyState struct {
	mu            sync.Mutex
	authorization string // the required Proxy-Authorization; "" if none
	handlers      map[string]http.Handler
}

// RequireProxyAuth makes the proxy answer 407 to requests without this user and password. With an
// empty user, none are required.
func (srv *Server) RequireProxyAuth(user, password string) {
	srv.proxy.mu.Lock()
	defer srv.proxy.mu.Unlock()
	srv.proxy.authorization = ""
	if user != "" {
		srv.proxy.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
}

// Handle serves another host behind the proxy, over TLS on port 443: a registry under its ECR name,
// for example. A host such as *.example.com matches all names that end with .example.com. An exact
// host has priority over it, and both have priority over AWS.
func (srv *Server) Handle(host string, h http.Handler) {
	srv.proxy.mu.Lock()
	defer srv.proxy.mu.Unlock()
	if srv.proxy.handlers == nil {
		srv.proxy.handlers = map[string]http.Handler{}
	}
	srv.proxy.handlers[strings.ToLower(host)] = h
}

// handlerFor returns the handler of a host behind the proxy, or nil.
func (srv *Server) handlerFor(host string) http.Handler {
	srv.proxy.mu.Lock()
	defer srv.proxy.mu.Unlock()
	if h, ok := srv.proxy.handlers[host]; ok {
		return h
	}
	for pattern, h := range srv.proxy.handlers {
		if suffix, ok := strings.CutPrefix(pattern, "*"); ok && strings.HasSuffix(host, suffix) {
			return h
		}
	}
	if e, ok := locate(host); ok && e.isInDNS() {
		return srv.services(e)
	}
	return nil
}

// isAuthorized reports whether a request has the proxy's user and password.
func (srv *Server) isAuthorized(r *http.Request) bool {
	srv.proxy.mu.Lock()
	defer srv.proxy.mu.Unlock()
	return srv.proxy.authorization == "" || r.Header.Get("Proxy-Authorization") == srv.proxy.authorization
}

// serveProxy answers CONNECT.
func (srv *Server) serveProxy(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		srv.log.connect("http://" + r.Host + r.URL.Path)
		http.Error(w, "only CONNECT is served here", http.StatusBadGateway)
		return
	}
	host := strings.ToLower(strings.TrimSuffix(r.Host, ":443"))
	srv.log.connect(host)
	if !srv.isAuthorized(r) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="stand-in"`)
		http.Error(w, "proxy authentication required", http.StatusProxyAuthRequired)
		return
	}
	if srv.handlerFor(host) == nil {
		http.Error(w, "no such host: "+host, http.StatusBadGateway)
		return
	}
	cert, err := srv.ca.issue(host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if !srv.pause(r.Context(), time.Duration(srv.connect.Load())) {
		panic(http.ErrAbortHandler)
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		conn.Close()
		return
	}
	srv.tunnels.add(tls.Server(&tunnel{srv.slow(conn), buffered.Reader, host}, &tls.Config{
		Certificates: []tls.Certificate{*cert},
		NextProtos:   []string{"http/1.1"},
	}))
}

// serveTunnel serves a request that came through a tunnel.
func (srv *Server) serveTunnel(w http.ResponseWriter, r *http.Request) {
	srv.handlerFor(tunnelHost(r)).ServeHTTP(w, r)
}
