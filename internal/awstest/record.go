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
func (j *requestLog) add(r Request) *Request {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.counts == nil {
		j.counts = map[string]int{}
	}
	j.counts[r.Action]++
	j.requests = append(j.requests, &r)
	if j.arrived != nil {
		close(j.arrived)
		j.arrived = nil
	}
	return &r
}

// amend completes what begin recorded.
func (j *requestLog) update(r *Request, change func(*Request)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(r)
}

func (j *requestLog) connect(host string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.connects = append(j.connects, host)
}

// Requests returns what reached the server since the last ResetCounts, in order
// of arrival. Registries served by Handle are not in it.
func (c *Server) Requests() []Request {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	all := make([]Request, len(c.log.requests))
	for i, r := range c.log.requests {
		all[i] = *r
	}
	return all
}

// Counts returns how many requests there were since the last ResetCounts, by
// action.
func (c *Server) Counts() map[string]int {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return maps.Clone(c.log.counts)
}

// Count returns how many requests of one action there were since the last
// ResetCounts.
func (c *Server) Count(action string) int {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return c.log.counts[action]
}

// Await waits until there were n requests of an action since the last
// ResetCounts. The error is that of ctx.
func (c *Server) Await(ctx context.Context, action string, n int) error {
	for {
		c.log.mu.Lock()
		enough := c.log.counts[action] >= n
		if c.log.arrived == nil {
			c.log.arrived = make(chan struct{})
		}
		arrived := c.log.arrived
		c.log.mu.Unlock()
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
func (c *Server) Connects() []string {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return slices.Clone(c.log.connects)
}

// ResetCounts forgets Requests, Counts and Connects.
func (c *Server) ResetCounts() {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.log.requests, c.log.counts, c.log.connects = nil, nil, nil
}
