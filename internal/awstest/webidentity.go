package awstest

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A WebIdentity is what an OpenID Connect issuer says about a workload. In a role it is the
// workload that may assume the role.
type WebIdentity struct {
	Issuer, Subject, Audience string
}

// Token returns a token for w, as Kubernetes or a CI system mounts it. Its signature isn't valid,
// and the server doesn't check it.
func (w WebIdentity) Token(expires time.Time) string {
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(fmt.Sprintf("stand-in: %v", err)) // the maps below can be marshalled
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	header := map[string]string{"alg": "RS256", "typ": "JWT", "kid": "stand-in"}
	claims := map[string]any{
		"iss": w.Issuer, "sub": w.Subject, "aud": []string{w.Audience},
		"iat": expires.Add(-time.Hour).Unix(), "exp": expires.Unix(),
	}
	return part(header) + "." + part(claims) + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 256))
}

type claims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Expires  int64    `json:"exp"`
}

// An audience is a string or a list of strings.
type audience []string

// UnmarshalJSON implements [json.Unmarshaler].
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

func parseClaims(token string) (claims, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return claims{}, false
	}
	var v claims
	return v, json.Unmarshal(payload, &v) == nil
}

type assumeRoleWithWebIdentityResponse struct {
	XMLName   xml.Name      `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithWebIdentityResponse"`
	Result    stsRoleResult `xml:"AssumeRoleWithWebIdentityResult"`
	RequestID string        `xml:"ResponseMetadata>RequestId"`
}

func (srv *Server) assumeRoleWithWebIdentity(q *call) response {
	refuse := func(status int, code, message string) response {
		return errorResponse(q.service, status, code, message)
	}
	got, ok := parseClaims(q.form.Get("WebIdentityToken"))
	if !ok {
		return refuse(http.StatusBadRequest, "InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	target := q.form.Get("RoleArn")
	role, ok := srv.principals.role(target)
	const unauthorized = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
	if !ok || !q.endpoint.knows(target) || role.WebIdentity == nil || srv.principals.forbids(q.action, identity{arn: target}) {
		return refuse(http.StatusForbidden, "AccessDenied", unauthorized)
	}
	want, now := *role.WebIdentity, srv.now()
	switch {
	case got.Issuer != want.Issuer:
		return refuse(http.StatusBadRequest, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for "+got.Issuer)
	case !slices.Contains(got.Audience, want.Audience):
		return refuse(http.StatusBadRequest, "InvalidIdentityToken", "Incorrect token audience")
	case got.Expires <= now.Unix():
		return refuse(http.StatusBadRequest, "ExpiredTokenException", fmt.Sprintf("Token expired: current date/time %d must be before the expiration date/time %d", now.Unix(), got.Expires))
	case got.Subject != want.Subject:
		return refuse(http.StatusForbidden, "AccessDenied", unauthorized)
	}
	s, wrong := srv.roleSession(q, role, false)
	if wrong != nil {
		return *wrong
	}
	result := s.result()
	result.SubjectFromWebIdentityToken = got.Subject
	result.Audience = want.Audience
	result.Provider = got.Issuer
	id := requestID()
	return xmlResponse(http.StatusOK, id, assumeRoleWithWebIdentityResponse{Result: result, RequestID: id})
}
