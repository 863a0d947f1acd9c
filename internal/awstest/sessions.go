package awstest

import (
	"sync"
	"time"
)

// A post is where sessions of one role are handed out.
type sessions struct {
	mu    sync.Mutex
	role  string
	fresh bool
	last  session
}

// SetFreshSessions makes the metadata service and the container's agent hand
// out a new session, with new keys, on every request. At first they repeat one
// until it expires, as the real ones do.
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

// sessionAt gives the session standing at a post, made under a session name;
// false if the post has no role.
func (srv *Server) sessionFrom(p *sessions, name string) (session, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.role == "" {
		return session{}, false
	}
	// Looked up again, for ExpireSessions may have ended it.
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

// handedOut is the session in the form of the metadata and container services.
func (s session) credentials() map[string]string {
	return map[string]string{
		"AccessKeyId":     s.keyID,
		"SecretAccessKey": s.secret,
		"Token":           s.token,
		"Expiration":      s.expires.Format(time.RFC3339),
	}
}
