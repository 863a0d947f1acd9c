package awstest

import (
	"net/http"
	"sync"
	"time"
)

// A quota is a bucket of requests that fills as time passes.
type quota struct {
	perSecond, left float64
	since           time.Time
}

type quotas struct {
	mu sync.Mutex
	of map[string]*quota // by action
}

// SetQuota throttles an action, as named by [Server.Fail], that is asked for more often than so
// many times a second, by the server's clock; as many more may come at once after a pause. What
// is throttled counts as a request. 0 ends it.
func (c *Server) SetQuota(action string, perSecond int) {
	c.quotas.mu.Lock()
	defer c.quotas.mu.Unlock()
	if c.quotas.of == nil {
		c.quotas.of = map[string]*quota{}
	}
	if perSecond == 0 {
		delete(c.quotas.of, action)
		return
	}
	c.quotas.of[action] = &quota{perSecond: float64(perSecond), left: float64(perSecond), since: c.now()}
}

// exceeded takes one request from the action's quota, if there is any left.
func (q *quotas) exceeded(action string, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	of, ok := q.of[action]
	if !ok {
		return false
	}
	of.left = min(of.perSecond, of.left+of.perSecond*now.Sub(of.since).Seconds())
	of.since = now
	if of.left < 1 {
		return true
	}
	of.left--
	return false
}

// throttled is what AWS says of a request above a quota.
func throttled(service string) answer {
	code := "ThrottlingException"
	if service == "sts" {
		code = "Throttling"
	}
	return failure(service, http.StatusBadRequest, code, "Rate exceeded")
}
