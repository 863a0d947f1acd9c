package awstest

import (
	"sync"
	"time"
)

// A sessions issues the sessions of a role to the instance or the container.
type sessions struct {
	mu    sync.Mutex
	role  string
	fresh bool
	last  session
}

// SetFreshSessions makes the metadata service and the container's service issue a new session, with
// new keys, for every request. At first they repeat a session until it expires, as the real
// services do.
func (srv *Server) SetFreshSessions(fresh bool) {
	for _, p := range []*sessions{&srv.instance.sessions, &srv.container.sessions} {
		p.mu.Lock()
		p.fresh = fresh
		p.mu.Unlock()
	}
}

func (p *sessions) set(roleARN string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.role, p.last = roleARN, session{}
}

// sessionFrom returns the current session, or issues one with a name; false if there is no role.
func (srv *Server) sessionFrom(p *sessions, name string) (session, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.role == "" {
		return session{}, false
	}
	// ExpireSessions may have expired it.
	who, ok := srv.principals.find(p.last.keyID)
	if p.fresh || !ok || who.expired(srv.now()) {
		p.last = srv.newSession(sessionARN(p.role, name), p.role, 6*time.Hour)
	}
	return p.last, true
}

func (p *sessions) roleARN() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.role
}

// credentials returns the session in the format of the metadata and container services.
func (s session) credentials() map[string]string {
	return map[string]string{
		"AccessKeyId":     s.keyID,
		"SecretAccessKey": s.secret,
		"Token":           s.token,
		"Expiration":      s.expires.Format(time.RFC3339),
	}
}
