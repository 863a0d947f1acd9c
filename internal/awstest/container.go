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

// SetContainerRole gives the container a role, known by AddRole or not; with
// "" it has none, as at first. If authToken is set, only requests whose
// Authorization header is just that get its credentials.
func (srv *Server) SetContainerRole(roleARN, authToken string) {
	srv.container.mu.Lock()
	srv.container.auth = authToken
	srv.container.mu.Unlock()
	srv.container.sessions.set(roleARN)
}

// ContainerHandler is the container credential service, for an address of the
// caller's own: 169.254.170.2:80 (ECS) or 169.254.170.23:80 (EKS Pod Identity)
// in a network namespace, say. It answers on every path.
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
