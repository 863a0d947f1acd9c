package awstest

import (
	"net/http"
	"sync"
)

type agent struct {
	mu   sync.Mutex
	auth string
	post sessions
}

// SetContainerRole gives the container a role, known by AddRole or not; with
// "" it has none, as at first. If authToken is set, only requests whose
// Authorization header is just that get its credentials.
func (c *Server) SetContainerRole(roleARN, authToken string) {
	c.agent.mu.Lock()
	c.agent.auth = authToken
	c.agent.mu.Unlock()
	c.agent.post.set(roleARN)
}

// ContainerHandler is the container credential service, for an address of the
// caller's own: 169.254.170.2:80 (ECS) or 169.254.170.23:80 (EKS Pod Identity)
// in a network namespace, say. It answers on every path.
func (c *Server) ContainerHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.serve(w, r, place{}, func(*call) string { return "container:credentials" }, c.containerCredentials)
	})
}

func (c *Server) containerCredentials(q *call) answer {
	c.agent.mu.Lock()
	auth := c.agent.auth
	c.agent.mu.Unlock()
	if auth != "" && q.Header.Get("Authorization") != auth {
		return failure(q.service, http.StatusUnauthorized, "AccessDenied", "the authorization token is missing or wrong")
	}
	s, ok := c.sessionAt(&c.agent.post, "stand-in-task")
	if !ok {
		return failure(q.service, http.StatusNotFound, "NoIdInRequest", "no role is associated with the container")
	}
	c.journal.amend(q.entry, func(e *Request) { e.TargetRole = s.role })
	v := s.handedOut()
	v["RoleArn"] = s.role
	return jsonAnswer(restJSON, http.StatusOK, v)
}
