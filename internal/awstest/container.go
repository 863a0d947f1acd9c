package awstest

import (
	"net/http"
	"sync"
)

type container struct {
	mu       sync.Mutex
	auth     string
	sessions sessions
}

// SetContainerRole sets the role of the container. AddRole need not know it. At first, and with "",
// there is none. If authToken isn't empty, only requests with that Authorization header get
// credentials.
func (srv *Server) SetContainerRole(roleARN, authToken string) {
	srv.container.mu.Lock()
	srv.container.auth = authToken
	srv.container.mu.Unlock()
	srv.container.sessions.set(roleARN)
}

// ContainerHandler returns the container credential service, to serve it at another address:
// 169.254.170.2:80 (ECS) or 169.254.170.23:80 (EKS Pod Identity) in a network namespace, for
// example. It answers on every path.
func (srv *Server) ContainerHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		srv.serve(w, r, endpoint{}, func(*call) string { return "container:credentials" }, srv.containerCredentials)
	})
}

func (srv *Server) containerCredentials(q *call) response {
	srv.container.mu.Lock()
	auth := srv.container.auth
	srv.container.mu.Unlock()
	if auth != "" && q.Header.Get("Authorization") != auth {
		return errorResponse(q.service, http.StatusUnauthorized, "AccessDenied", "the authorization token is missing or wrong")
	}
	s, ok := srv.sessionFrom(&srv.container.sessions, "stand-in-task")
	if !ok {
		return errorResponse(q.service, http.StatusNotFound, "NoIdInRequest", "no role is associated with the container")
	}
	srv.log.update(q.entry, func(e *Request) { e.TargetRole = s.role })
	v := s.credentials()
	v["RoleArn"] = s.role
	return jsonResponse(restJSON, http.StatusOK, v)
}
