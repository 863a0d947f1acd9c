package awstest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrNotPermitted is the error of VerifyToken for a valid token whose principal may not read the
// registry.
var ErrNotPermitted = errors.New("not permitted to read the registry")

// A token is what GetAuthorizationToken returns.
type token struct {
	password string
	grant
}

// A grant is what a token is valid for.
type grant struct {
	who     identity
	region  string
	public  bool
	expires time.Time // the API's expiresAt
	ends    time.Time // the expiration inside the password
}

type tokens struct {
	mu          sync.Mutex
	ttl         time.Duration
	passwordTTL time.Duration // 0 means ttl
	issued      map[[sha256.Size]byte]grant
}

// SetTokenTTL sets the TTL of ECR tokens that are issued from now on. At first it is 12 hours.
func (srv *Server) SetTokenTTL(d time.Duration) {
	srv.tokens.mu.Lock()
	defer srv.tokens.mu.Unlock()
	srv.tokens.ttl = d
}

// SetPasswordTTL sets the expiration inside the password of tokens that are issued from now on. It
// can differ from the expiresAt of the API, as AWS has been seen to do:
// https://github.com/kubernetes/cloud-provider-aws/issues/348. Such a token is valid until the
// earlier of both. With 0 they are the same again.
func (srv *Server) SetPasswordTTL(d time.Duration) {
	srv.tokens.mu.Lock()
	defer srv.tokens.mu.Unlock()
	srv.tokens.passwordTTL = d
}

// issue makes a token. Its password has the format and the length of a real one.
func (srv *Server) issue(who identity, region string, public bool) token {
	now := srv.now()
	srv.tokens.mu.Lock()
	defer srv.tokens.mu.Unlock()
	g := grant{who: who, region: region, public: public, expires: now.Add(srv.tokens.ttl)}
	g.ends = g.expires
	if srv.tokens.passwordTTL != 0 {
		g.ends = now.Add(srv.tokens.passwordTTL)
	}
	inside, err := json.Marshal(map[string]any{
		"payload":    random(1140),
		"datakey":    random(168),
		"version":    "2",
		"type":       "DATA_KEY",
		"expiration": g.ends.Unix(),
	})
	if err != nil {
		panic(fmt.Sprintf("stand-in: %v", err)) // strings and a number
	}
	t := token{base64.StdEncoding.EncodeToString(inside), g}
	if srv.tokens.issued == nil {
		srv.tokens.issued = map[[sha256.Size]byte]grant{}
	}
	srv.tokens.issued[sha256.Sum256([]byte(t.password))] = g
	return t
}

// VerifyToken returns the principal of an ECR token, if the registry at host would accept the
// password. The host may have any form of a registry's name. The server must have issued the token,
// for the region of the registry or for public registries, it must not have expired, and the
// principal must be allowed to read the registry. If only that permission is missing, the error is
// ErrNotPermitted, and the principal is returned as well.
func (srv *Server) VerifyToken(password, host string) (principal string, err error) {
	reg, ok := parseRegistry(host)
	if !ok {
		return "", fmt.Errorf("%s isn't a registry of ECR", host)
	}
	now := srv.now()
	srv.tokens.mu.Lock()
	g, ok := srv.tokens.issued[sha256.Sum256([]byte(password))]
	srv.tokens.mu.Unlock()
	public := reg.account == ""
	switch {
	case !ok:
		return "", errors.New("the password was never issued")
	case !now.Before(g.expires) || !now.Before(g.ends):
		return "", errors.New("your authorization token has expired")
	case g.public != public:
		return "", errors.New("the token is for public registries and this one is private, or the reverse")
	case g.region != reg.region:
		return "", fmt.Errorf("the token is for %s, the registry is in %s", g.region, reg.region)
	case srv.principals.forbids("ecr:BatchGetImage", g.who), !public && !srv.principals.mayRead(reg.account, g.who):
		return g.who.arn, fmt.Errorf("%s: %w", g.who.arn, ErrNotPermitted)
	}
	return g.who.arn, nil
}
