package awstest

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

type stsCredentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

type stsUser struct {
	AssumedRoleID string `xml:"AssumedRoleId"`
	Arn           string
}

type stsRoleResult struct {
	AssumedRoleUser             stsUser
	Credentials                 stsCredentials
	SubjectFromWebIdentityToken string `xml:",omitempty"`
	Audience                    string `xml:",omitempty"`
	Provider                    string `xml:",omitempty"`
}

type assumeRoleResponse struct {
	XMLName   xml.Name      `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleResponse"`
	Result    stsRoleResult `xml:"AssumeRoleResult"`
	RequestID string        `xml:"ResponseMetadata>RequestId"`
}

var roleSessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

func (srv *Server) assumeRole(q *call, who identity) response {
	target := q.form.Get("RoleArn")
	role, ok := srv.principals.role(target)
	if !ok || !q.endpoint.knows(target) || !role.trusts(who) ||
		role.ExternalID != "" && role.ExternalID != q.form.Get("ExternalId") ||
		srv.principals.forbids(q.action, who) || srv.principals.forbids(q.action, identity{arn: target}) {
		denied := denial{"AccessDenied", fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", who.arn, target)}
		return denied.response(q.service)
	}
	s, wrong := srv.roleSession(q, role, who.role != "")
	if wrong != nil {
		return *wrong
	}
	id := requestID()
	return xmlResponse(http.StatusOK, id, assumeRoleResponse{Result: s.result(), RequestID: id})
}

// trusts reports whether the trust policy names a principal.
func (r Role) trusts(who identity) bool {
	return slices.ContainsFunc(r.Trusts, func(arn string) bool {
		return who.is(arn) || strings.HasSuffix(arn, ":root") && accountOf(arn) == accountOf(who.arn)
	})
}

// roleSession makes the session that a call requests.
func (srv *Server) roleSession(q *call, r Role, chained bool) (session, *response) {
	invalid := func(format string, args ...any) (session, *response) {
		resp := errorResponse(q.service, http.StatusBadRequest, "ValidationError", fmt.Sprintf(format, args...))
		return session{}, &resp
	}
	name := q.form.Get("RoleSessionName")
	if !roleSessionName.MatchString(name) {
		return invalid("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", name)
	}
	ttl := time.Hour
	if given := q.form.Get("DurationSeconds"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 900 || n > 43200 {
			return invalid("1 validation error detected: Value '%s' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200", given)
		}
		ttl = time.Duration(n) * time.Second
	}
	if chained && ttl > time.Hour {
		return invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	return srv.newSession(sessionARN(r.ARN, name), r.ARN, ttl), nil
}

func (s session) result() stsRoleResult {
	return stsRoleResult{
		AssumedRoleUser: stsUser{s.userID(), s.arn},
		Credentials:     stsCredentials{s.keyID, s.secret, s.token, s.expires},
	}
}

type callerIdentityResponse struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	Arn       string   `xml:"GetCallerIdentityResult>Arn"`
	UserID    string   `xml:"GetCallerIdentityResult>UserId"`
	Account   string   `xml:"GetCallerIdentityResult>Account"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

func (srv *Server) callerIdentity(q *call, who identity) response {
	id := requestID()
	return xmlResponse(http.StatusOK, id, callerIdentityResponse{
		Arn: who.arn, UserID: who.userID(), Account: accountOf(who.arn), RequestID: id,
	})
}

// userID returns the unique ID of a principal: the same for the same ARN, and for a session the
// role's ID with the session's name.
func (i identity) userID() string {
	id := func(prefix, arn string) string {
		sum := sha256.Sum256([]byte(arn))
		return prefix + base32.StdEncoding.EncodeToString(sum[:10])
	}
	if i.role == "" {
		return id("AIDA", i.arn)
	}
	return id("AROA", i.role) + ":" + roleName(i.arn)
}
