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
	mu       sync.Mutex
	authorization     string // Proxy-Authorization asked for; "" is none
	handlers map[string]http.Handler
}

// RequireProxyAuth makes the proxy answer 407 to whoever does not give this
// user and password. An empty user lifts it.
func (c *Server) RequireProxyAuth(user, password string) {
	c.proxy.mu.Lock()
	defer c.proxy.mu.Unlock()
	c.proxy.authorization = ""
	if user != "" {
		c.proxy.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
}

// Handle serves another host behind the proxy, over TLS on port 443: a
// registry under its ECR name, say. A host such as *.example.com stands for
// all names that end so; an exact one goes before it, and both before AWS.
func (c *Server) Handle(host string, h http.Handler) {
	c.proxy.mu.Lock()
	defer c.proxy.mu.Unlock()
	if c.proxy.handlers == nil {
		c.proxy.handlers = map[string]http.Handler{}
	}
	c.proxy.handlers[strings.ToLower(host)] = h
}

// behind returns what serves host behind the proxy, or nil.
func (c *Server) handlerFor(host string) http.Handler {
	c.proxy.mu.Lock()
	defer c.proxy.mu.Unlock()
	if h, ok := c.proxy.handlers[host]; ok {
		return h
	}
	for pattern, h := range c.proxy.handlers {
		if suffix, ok := strings.CutPrefix(pattern, "*"); ok && strings.HasSuffix(host, suffix) {
			return h
		}
	}
	if at, ok := locate(host); ok && at.isInDNS() {
		return c.services(at)
	}
	return nil
}

func (c *Server) isAuthorized(r *http.Request) bool {
	c.proxy.mu.Lock()
	defer c.proxy.mu.Unlock()
	return c.proxy.authorization == "" || r.Header.Get("Proxy-Authorization") == c.proxy.authorization
}

func (c *Server) serveProxy(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		c.log.connect("http://" + r.Host + r.URL.Path)
		http.Error(w, "only CONNECT is served here", http.StatusBadGateway)
		return
	}
	host := strings.ToLower(strings.TrimSuffix(r.Host, ":443"))
	c.log.connect(host)
	if !c.isAuthorized(r) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="stand-in"`)
		http.Error(w, "who are you?", http.StatusProxyAuthRequired)
		return
	}
	if c.handlerFor(host) == nil {
		http.Error(w, "no such host: "+host, http.StatusBadGateway)
		return
	}
	cert, err := c.ca.issue(host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if !c.pause(r.Context(), time.Duration(c.connect.Load())) {
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
	c.tunnels.add(tls.Server(&tunnel{c.slow(conn), buffered.Reader, host}, &tls.Config{
		Certificates: []tls.Certificate{*cert},
		NextProtos:   []string{"http/1.1"},
	}))
}

// serveTunnel serves a request that came through a tunnel.
func (c *Server) serveTunnel(w http.ResponseWriter, r *http.Request) {
	c.handlerFor(tunnelHost(r)).ServeHTTP(w, r)
}
