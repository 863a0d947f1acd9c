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

// ErrNotPermitted is VerifyToken's for a good token whose principal may not
// read the registry.
var ErrNotPermitted = errors.New("not permitted to read the registry")

// A token is what GetAuthorizationToken gives.
type token struct {
	password string
	grant
}

// A grant is what a token stands for.
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
	passwordTTL time.Duration // 0: as life
	issued      map[[sha256.Size]byte]grant
}

// SetTokenLife sets how long ECR tokens issued from now on are good for: 12
// hours at first.
func (srv *Server) SetTokenTTL(d time.Duration) {
	srv.tokens.mu.Lock()
	defer srv.tokens.mu.Unlock()
	srv.tokens.ttl = d
}

// SetPasswordLife makes the expiration inside the password of tokens issued
// from now on another than the expiresAt of the API, as AWS has been seen to
// do: https://github.com/kubernetes/cloud-provider-aws/issues/348. Such a
// token is good until the earlier of both. 0 makes them the same again.
func (srv *Server) SetPasswordTTL(d time.Duration) {
	srv.tokens.mu.Lock()
	defer srv.tokens.mu.Unlock()
	srv.tokens.passwordTTL = d
}

// issue makes a token. Its password has the shape and the length of a real
// one.
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

// VerifyToken tells whose ECR token a password is, if the registry at host (a
// registry's own name in any of its forms) would take it: if the server issued
// it, it has not expired, it is for the region of the registry, or for public
// ones, and the principal may read the registry. If only that last is missing
// the error is ErrNotPermitted and the principal is given as well.
func (srv *Server) VerifyToken(password, host string) (principal string, err error) {
	reg, ok := parseRegistry(host)
	if !ok {
		return "", fmt.Errorf("%s is no registry of ECR", host)
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
		return "", errors.New("the token is for public registries and this is none, or the other way about")
	case g.region != reg.region:
		return "", fmt.Errorf("the token is for %s, the registry is in %s", g.region, reg.region)
	case srv.principals.forbids("ecr:BatchGetImage", g.who), !public && !srv.principals.mayRead(reg.account, g.who):
		return g.who.arn, fmt.Errorf("%s: %w", g.who.arn, ErrNotPermitted)
	}
	return g.who.arn, nil
}
