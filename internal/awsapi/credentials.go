package awsapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"docker-credential-ecr-login/cache"
)

// sharedCredentials are the credentials of each identity, or why there are none. The parts
// of a list ask together; without this each would assume the role for itself, and
// run the credential process, which may ask a person.
type sharedCredentials struct {
	mu         sync.Mutex
	byIdentity map[string]*result
}

type result struct {
	once     sync.Once
	value    aws.Credentials
	resolved []aws.Credentials // those of the chain
	login    string
	failure  *cache.Failure
}

// get retrieves the credentials of a chain, once for all requests of its identity,
// before the call that is signed with them: inside, the SDK would retrieve them again
// at each of its own retries, with all of theirs. It returns the context for what
// is left to do.
func (s *sharedCredentials) get(ctx, begin context.Context, c *chain) (context.Context, context.CancelFunc, error) {
	start := time.Now()
	got := s.result(c.request.Identity)
	got.once.Do(func() {
		var err error
		if got.value, err = c.retrieve(ctx, begin, start); err != nil {
			got.failure = c.failure(err)
		}
		got.resolved, got.login = append(c.resolved, got.value), c.requests.refreshedLogin()
	})
	c.resolved = got.resolved
	c.requests.refreshed(&got.login)
	if got.failure != nil {
		return begin, func() {}, got.failure
	}
	c.cfg.Credentials = credentials.StaticCredentialsProvider{Value: got.value}
	rest, cancel := c.extend(ctx, begin, start)
	return rest, cancel, nil
}

func (s *sharedCredentials) result(identity string) *result {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byIdentity == nil {
		s.byIdentity = make(map[string]*result)
	}
	if s.byIdentity[identity] == nil {
		s.byIdentity[identity] = new(result)
	}
	return s.byIdentity[identity]
}

func (c *chain) retrieve(ctx, begin context.Context, start time.Time) (aws.Credentials, error) {
	if err := errors.Join(c.checkTokens(), c.checkLogin()); err != nil {
		return aws.Credentials{}, err
	}
	switch {
	case c.hasProcess():
		if err := c.runProcess(ctx); err != nil {
			return aws.Credentials{}, err
		}
	case c.hasStep(aws.CredentialSourceLogin):
		c.useLogin()
	}
	if err := c.checkKeys(); err != nil {
		return aws.Credentials{}, err
	}
	c.assumeMapped()
	rest, cancel := c.extend(ctx, begin, start)
	defer cancel()
	return c.cfg.Credentials.Retrieve(rest)
}

// extend returns begin or, if a credential process has run since start, a context that is
// as much longer: the process has a time of its own.
func (c *chain) extend(ctx, begin context.Context, start time.Time) (context.Context, context.CancelFunc) {
	deadline, ok := begin.Deadline()
	if !ok || !c.hasProcess() {
		return begin, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(time.Since(start)))
}

func (c *chain) hasProcess() bool { return c.hasStep(aws.CredentialSourceProcess) }
