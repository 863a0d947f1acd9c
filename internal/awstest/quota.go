package awstest

import (
	"net/http"
	"sync"
	"time"
)

// A quota is a token bucket.
type quota struct {
	perSecond, tokens float64
	since             time.Time
}

type quotas struct {
	mu       sync.Mutex
	byAction map[string]*quota // by action
}

// SetQuota throttles an action, as named by [Server.Fail], to a number of requests a second, by the
// server's clock. After a pause, as many more may come at once. Throttled requests are counted,
// too. 0 removes the quota.
func (srv *Server) SetQuota(action string, perSecond int) {
	srv.quotas.mu.Lock()
	defer srv.quotas.mu.Unlock()
	if srv.quotas.byAction == nil {
		srv.quotas.byAction = map[string]*quota{}
	}
	if perSecond == 0 {
		delete(srv.quotas.byAction, action)
		return
	}
	srv.quotas.byAction[action] = &quota{perSecond: float64(perSecond), tokens: float64(perSecond), since: srv.now()}
}

// exceeded takes a request from the action's quota. It reports whether there was none left.
func (q *quotas) exceeded(action string, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	of, ok := q.byAction[action]
	if !ok {
		return false
	}
	of.tokens = min(of.perSecond, of.tokens+of.perSecond*now.Sub(of.since).Seconds())
	of.since = now
	if of.tokens < 1 {
		return true
	}
	of.tokens--
	return false
}

// throttledResponse returns what AWS responds to a request above a quota.
func throttledResponse(service string) response {
	code := "ThrottlingException"
	if service == "sts" {
		code = "Throttling"
	}
	return errorResponse(service, http.StatusBadRequest, code, "Rate exceeded")
}
