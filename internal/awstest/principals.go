package awstest

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Role is an IAM role with its trust policy.
type Role struct {
	ARN string
	// Trusts holds the ARNs of principals that may assume the role: a user, a role (for all its
	// sessions), a session, or arn:aws:iam::ACCOUNT:root for all principals of an account.
	Trusts []string
	// ExternalID is required in AssumeRole, if it isn't empty.
	ExternalID string
	// WebIdentity may assume the role with a token, if it isn't nil.
	WebIdentity *WebIdentity
}

// An identity is the principal of an access key.
type identity struct {
	arn     string // of a user or a role's session
	role    string // the ARN of the role behind the session, or ""
	secret  string
	token   string    // "" for a user's own key
	expires time.Time // zero for a user's own key
}

func (i identity) expired(now time.Time) bool { return !i.expires.IsZero() && !now.Before(i.expires) }

// is reports whether an ARN names the principal or the role behind it.
func (i identity) is(arn string) bool { return arn == i.arn || arn != "" && arn == i.role }

type principals struct {
	mu     sync.Mutex
	keys   map[string]identity // by access key ID
	roles  map[string]Role     // by ARN
	denied map[rule]bool
	grants map[rule]bool
}

// A rule is about the principal with an ARN: what it may not do, or the account whose registry it
// may read.
type rule struct{ what, arn string }

// AddUser adds an IAM user with an access key. If the key exists, it gets the new owner and secret.
func (srv *Server) AddUser(arn, accessKeyID, secret string) {
	srv.principals.put(accessKeyID, identity{arn: arn, secret: secret})
}

// AddRole adds a role, or replaces the one with the same ARN.
func (srv *Server) AddRole(r Role) {
	srv.principals.mu.Lock()
	defer srv.principals.mu.Unlock()
	if srv.principals.roles == nil {
		srv.principals.roles = map[string]Role{}
	}
	r.Trusts = slices.Clone(r.Trusts)
	srv.principals.roles[r.ARN] = r
}

// Deny forbids an action, such as ecr:GetAuthorizationToken, to a principal or to all sessions of a
// role. For sts:AssumeRole and sts:AssumeRoleWithWebIdentity, the ARN can also be that of the role
// to assume. For ecr-public:GetAuthorizationToken, the action can also be
// sts:GetServiceBearerToken. Registries check ecr:BatchGetImage.
func (srv *Server) Deny(action, arn string) {
	srv.principals.mu.Lock()
	defer srv.principals.mu.Unlock()
	if srv.principals.denied == nil {
		srv.principals.denied = map[rule]bool{}
	}
	srv.principals.denied[rule{action, arn}] = true
}

// Allow undoes Deny.
func (srv *Server) Allow(action, arn string) {
	srv.principals.mu.Lock()
	defer srv.principals.mu.Unlock()
	delete(srv.principals.denied, rule{action, arn})
}

// Grant allows a principal, or all sessions of a role, to read the registry of another account.
func (srv *Server) Grant(account, arn string) {
	srv.principals.mu.Lock()
	defer srv.principals.mu.Unlock()
	if srv.principals.grants == nil {
		srv.principals.grants = map[rule]bool{}
	}
	srv.principals.grants[rule{account, arn}] = true
}

// ExpireSessions expires all sessions that exist. ECR tokens stay valid.
func (srv *Server) ExpireSessions() {
	now := srv.now()
	srv.principals.mu.Lock()
	defer srv.principals.mu.Unlock()
	for key, who := range srv.principals.keys {
		if who.token != "" {
			who.expires = now
			srv.principals.keys[key] = who
		}
	}
}

func (p *principals) put(accessKeyID string, who identity) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.keys == nil {
		p.keys = map[string]identity{}
	}
	p.keys[accessKeyID] = who
}

func (p *principals) find(accessKeyID string) (identity, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.keys[accessKeyID]
	return who, ok
}

func (p *principals) role(arn string) (Role, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.roles[arn]
	return r, ok
}

func (p *principals) forbids(action string, who identity) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.denied[rule{action, who.arn}] || p.denied[rule{action, who.role}]
}

// mayRead reports whether a principal may read the registry of an account.
func (p *principals) mayRead(account string, who identity) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return accountOf(who.arn) == account || p.grants[rule{account, who.arn}] || p.grants[rule{account, who.role}]
}

// A session is a set of temporary credentials.
type session struct {
	keyID string
	identity
}

// newSession issues credentials of a principal. role is the ARN of the role behind it, or "".
func (srv *Server) newSession(arn, role string, ttl time.Duration) session {
	s := session{"ASIA" + rand.Text()[:16], identity{
		arn:     arn,
		role:    role,
		secret:  random(30),
		token:   "IQoJb3JpZ2luX2Vj" + random(300),
		expires: srv.now().Add(ttl).UTC().Truncate(time.Second),
	}}
	srv.principals.put(s.keyID, s.identity)
	return s
}

// sessionARN returns the ARN of a role's session.
func sessionARN(roleARN, name string) string {
	partition := strings.Split(roleARN+":", ":")[1]
	return "arn:" + partition + ":sts::" + accountOf(roleARN) + ":assumed-role/" + roleName(roleARN) + "/" + name
}

func accountOf(arn string) string { return strings.SplitN(arn+":::::", ":", 6)[4] }

func roleName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// random returns n random bytes in base64.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}
