package awstest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// A Request is a request that reached a service of the server.
type Request struct {
	// Action is the action: sts:AssumeRole, imds:token and so on, as in [Server.Fail]. It is
	// "unknown", or imds:unknown, if the server has no such action.
	Action string
	// Host is the host in CONNECT, or the Host header of a request that didn't come through the
	// proxy.
	Host string
	// Path is the path of the URL.
	Path string
	// Region is the region for which the request is signed, unverified; "" without a signature.
	Region string
	// Principal is the ARN of the caller, after its signature was verified.
	Principal string
	// TargetRole is the ARN of the role whose credentials are requested.
	TargetRole string
	// Status is the status of the response. It is 0 until there is one, and stays 0 if the request
	// hangs or is reset.
	Status int
}

type requestLog struct {
	mu       sync.Mutex
	requests []*Request
	counts   map[string]int
	connects []string
	arrived  chan struct{} // closed by the next arrival, if it isn't nil
}

// add records a request when it arrives, because it may hang.
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

// update changes a recorded request.
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

// Requests returns the requests since the last ResetCounts, in order of arrival. Requests to hosts
// of Handle are not among them.
func (srv *Server) Requests() []Request {
	srv.log.mu.Lock()
	defer srv.log.mu.Unlock()
	all := make([]Request, len(srv.log.requests))
	for i, r := range srv.log.requests {
		all[i] = *r
	}
	return all
}

// Counts returns the number of requests since the last ResetCounts, by action.
func (srv *Server) Counts() map[string]int {
	srv.log.mu.Lock()
	defer srv.log.mu.Unlock()
	return maps.Clone(srv.log.counts)
}

// Count returns the number of requests of an action since the last ResetCounts.
func (srv *Server) Count(action string) int {
	srv.log.mu.Lock()
	defer srv.log.mu.Unlock()
	return srv.log.counts[action]
}

// Await waits until n requests of an action have arrived since the last ResetCounts. The error is
// that of ctx.
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

// Connects returns the requests to the proxy since the last ResetCounts, in order: a host for each
// CONNECT (with its port unless that is 443), and a URL that begins with http:// for each other
// request.
func (srv *Server) Connects() []string {
	srv.log.mu.Lock()
	defer srv.log.mu.Unlock()
	return slices.Clone(srv.log.connects)
}

// ResetCounts clears Requests, Counts and Connects.
func (srv *Server) ResetCounts() {
	srv.log.mu.Lock()
	defer srv.log.mu.Unlock()
	srv.log.requests, srv.log.counts, srv.log.connects = nil, nil, nil
}
