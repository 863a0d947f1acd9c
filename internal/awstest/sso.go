package awstest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// An SSOLogin is what "aws sso login" stores. As JSON it is the file in ~/.aws/sso/cache whose name
// is the SHA-1 of the sso-session's name, or of the start URL in a profile without one.
type SSOLogin struct {
	StartURL              string    `json:"startUrl"`
	Region                string    `json:"region"`
	AccessToken           string    `json:"accessToken"`
	ExpiresAt             time.Time `json:"expiresAt"`
	ClientID              string    `json:"clientId"`
	ClientSecret          string    `json:"clientSecret"`
	RegistrationExpiresAt time.Time `json:"registrationExpiresAt"`
	RefreshToken          string    `json:"refreshToken"`

	// RoleARN is the role of the sessions, for Deny and Grant.
	RoleARN string `json:"-"`

	user string
}

// ssoTokenTTL is the TTL of the portal's access tokens.
const ssoTokenTTL = 8 * time.Hour

type portal struct {
	region string
	roles  map[rule]string // ARNs, by account and role name
}

type ssoToken struct {
	portal  *portal
	user    string
	expires time.Time
}

type portals struct {
	mu      sync.Mutex
	byURL   map[string]*portal
	access  map[string]ssoToken
	refresh map[string]SSOLogin
}

// AddSSO assigns a role in an account to the user user@example.com of an IAM Identity Center
// portal, and logs the user in. Every login to a portal is valid for all its roles.
func (srv *Server) AddSSO(startURL, region, accountID, roleName string) SSOLogin {
	return srv.AddSSOUser("user@example.com", startURL, region, accountID, roleName)
}

// AddSSOUser does what AddSSO does for a user by name.
func (srv *Server) AddSSOUser(user, startURL, region, accountID, roleName string) SSOLogin {
	sum := sha256.Sum256([]byte(accountID + roleName))
	partition, _ := partitionOf(region)
	arn := fmt.Sprintf("arn:%s:iam::%s:role/aws-reserved/sso.amazonaws.com/%s/AWSReservedSSO_%s_%x",
		partition.name, accountID, region, roleName, sum[:8])
	now := srv.now().UTC().Truncate(time.Second)
	login := SSOLogin{
		StartURL:              startURL,
		Region:                region,
		ClientID:              random(16),
		ClientSecret:          random(120),
		RegistrationExpiresAt: now.Add(90 * 24 * time.Hour),
		RefreshToken:          "aor" + random(120),
		RoleARN:               arn,
		user:                  user,
	}

	srv.portals.mu.Lock()
	defer srv.portals.mu.Unlock()
	if srv.portals.byURL == nil {
		srv.portals.byURL = map[string]*portal{}
		srv.portals.access = map[string]ssoToken{}
		srv.portals.refresh = map[string]SSOLogin{}
	}
	p := srv.portals.byURL[startURL]
	if p == nil {
		p = &portal{region, map[rule]string{}}
		srv.portals.byURL[startURL] = p
	}
	p.roles[rule{accountID, roleName}] = arn
	login.AccessToken, login.ExpiresAt = srv.portals.issue(p, user, now)
	srv.portals.refresh[login.RefreshToken] = login
	return login
}

// ExpireSSO expires every access token of every portal. Cache files don't say so unless their
// ExpiresAt is changed, too. Refresh tokens stay valid.
func (srv *Server) ExpireSSO() {
	srv.portals.mu.Lock()
	defer srv.portals.mu.Unlock()
	clear(srv.portals.access)
}

// issue makes an access token. The caller holds the lock.
func (p *portals) issue(to *portal, user string, now time.Time) (string, time.Time) {
	token := "aoa" + random(120)
	expires := now.Add(ssoTokenTTL)
	p.access[token] = ssoToken{to, user, expires}
	return token, expires
}

// roleCredentials performs GetRoleCredentials of the portal.
func (srv *Server) roleCredentials(q *call) response {
	now := srv.now()
	query := q.URL.Query()
	srv.portals.mu.Lock()
	token, ok := srv.portals.access[q.Header.Get("X-Amz-Sso_bearer_token")]
	role := ""
	if ok {
		role = token.portal.roles[rule{query.Get("account_id"), query.Get("role_name")}]
	}
	srv.portals.mu.Unlock()
	if !ok || !now.Before(token.expires) || q.endpoint.region != "" && q.endpoint.region != token.portal.region {
		return errorResponse(q.service, http.StatusUnauthorized, "UnauthorizedException", "Session token not found or invalid")
	}
	if role == "" || srv.principals.forbids(q.action, identity{arn: role}) {
		return errorResponse(q.service, http.StatusForbidden, "ForbiddenException", "No access")
	}
	s := srv.newSession(sessionARN(role, token.user), role, time.Hour)
	srv.log.update(q.entry, func(e *Request) { e.TargetRole = role })
	return jsonResponse(restJSON, http.StatusOK, map[string]any{"roleCredentials": map[string]any{
		"accessKeyId":     s.keyID,
		"secretAccessKey": s.secret,
		"sessionToken":    s.token,
		"expiration":      s.expires.UnixMilli(),
	}})
}

// createToken refreshes an access token. The refresh token stays the same, so many clients can
// refresh at once.
func (srv *Server) createToken(q *call) response {
	var in struct{ ClientID, ClientSecret, GrantType, RefreshToken string }
	if err := json.Unmarshal(q.body, &in); err != nil {
		return oidcError("InvalidRequestException", "invalid_request", err.Error())
	}
	if in.GrantType != "refresh_token" {
		return oidcError("UnsupportedGrantTypeException", "unsupported_grant_type", "only refresh_token is supported")
	}
	now := srv.now()
	srv.portals.mu.Lock()
	defer srv.portals.mu.Unlock()
	login, ok := srv.portals.refresh[in.RefreshToken]
	switch {
	case !ok || q.endpoint.region != "" && q.endpoint.region != login.Region:
		return oidcError("InvalidGrantException", "invalid_grant", "Invalid refresh token provided")
	case in.ClientID != login.ClientID || in.ClientSecret != login.ClientSecret:
		return oidcError("InvalidClientException", "invalid_client", "Invalid client or client credentials provided")
	}
	token, _ := srv.portals.issue(srv.portals.byURL[login.StartURL], login.user, now)
	return jsonResponse(restJSON, http.StatusOK, map[string]any{
		"accessToken":  token,
		"expiresIn":    int(ssoTokenTTL.Seconds()),
		"refreshToken": in.RefreshToken,
		"tokenType":    "Bearer",
	})
}

// oidcError returns an error in both OAuth's and AWS's format.
func oidcError(code, oauth, message string) response {
	status := http.StatusBadRequest
	if strings.HasPrefix(code, "InvalidClient") {
		status = http.StatusUnauthorized
	}
	resp := jsonResponse(restJSON, status, map[string]string{"error": oauth, "error_description": message})
	resp.header.Set("X-Amzn-Errortype", code)
	return resp
}
