package awstest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// A Request is one that reached a service of the server.
type Request struct {
	// Action is what was asked: sts:AssumeRole, imds:token and so on, as in
	// [Server.Fail]; "unknown", or imds:unknown, if the server has no such action.
	Action string
	// Host is the host the proxy was asked for, or the Host header of a
	// request that came another way.
	Host string
	// Path is the path of the URL.
	Path string
	// Region is the one the request is signed for, unverified; "" without a
	// signature.
	Region string
	// Principal is the ARN of the caller, once it is proved.
	Principal string
	// TargetRole is the ARN of the role whose credentials are asked for.
	TargetRole string
	// Status is the answer's; 0 as long as there is none, and for ever if the
	// request hung or was reset.
	Status int
}

type requestLog struct {
	mu       sync.Mutex
	requests []*Request
	counts   map[string]int
	connects []string
	arrived  chan struct{} // closed by the next arrival, if anybody waits
}

// begin records a request on its arrival, since one that hangs has arrived.
func (l *requestLog) add(r Request) *Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	l.counts[r.Action]++
	l.requests = append(l.requests, &r)
	if l.arrived != nil {
		close(l.arrived)
		l.arrived = nil
	}
	return &r
}

// amend completes what begin recorded.
func (l *requestLog) update(r *Request, change func(*Request)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(r)
}

func (l *requestLog) connect(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connects = append(l.connects, host)
}

// Requests returns what reached the server since the last ResetCounts, in order
// of arrival. Registries served by Handle are not in it.
func (srv *Server) Requests() []Request {
	srv.log.mu.Lock()
	defer srv.log.mu.Unlock()
	all := make([]Request, len(srv.log.requests))
	for i, r := range srv.log.requests {
		all[i] = *r
	}
	return all
}

// Counts returns how many requests there were since the last ResetCounts, by
// action.
func (srv *Server) Counts() map[string]int {
	srv.log.mu.Lock()
	defer srv.log.mu.Unlock()
	return maps.Clone(srv.log.counts)
}

// Count returns how many requests of one action there were since the last
// ResetCounts.
func (srv *Server) Count(action string) int {
	srv.log.mu.Lock()
	defer srv.log.mu.Unlock()
	return srv.log.counts[action]
}

// Await waits until there were n requests of an action since the last
// ResetCounts. The error is that of ctx.
func (srv *Server) Await(ctx context.Context, action string, n int) error {
	for {
		srv.log.mu.Lock()
		enough := srv.log.counts[action] >= n
		if srv.log.arrived == nil {
			srv.log.arrived = make(chan struct{})
		}
		arrived := srv.log.arrived
		srv.log.mu.Unlock()
		if enough {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", action, ctx.Err())
		}
	}
}

// Connects returns what the proxy was asked for since the last ResetCounts, in
// order: a host for each CONNECT (with its port unless that is 443), and a URL
// that begins with http:// for each request the proxy was to forward.
func (srv *Server) Connects() []string {
	srv.log.mu.Lock()
	defer srv.log.mu.Unlock()
	return slices.Clone(srv.log.connects)
}

// ResetCounts forgets Requests, Counts and Connects.
func (srv *Server) ResetCounts() {
	srv.log.mu.Lock()
	defer srv.log.mu.Unlock()
	srv.log.requests, srv.log.counts, srv.log.connects = nil, nil, nil
}
