package identity

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// principalClaims are the claims from which STS derives the session that
// AssumeRoleWithWebIdentity gives: who issued the token, for whom and to be used
// by whom. Those whose names begin with awsClaims give the session its tags and
// its source identity. The others change whenever the token is rotated. See
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
// and, for the tags,
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
var principalClaims = []string{"iss", "sub", "aud"}

const awsClaims = "https://aws.amazon.com/"

// Bearer returns who issued a web identity token, for whom and to be used by whom, on one line as a
// role's trust policy would have it. It returns nothing for other texts.
func Bearer(token string) string {
	all, ok := payload(token)
	if !ok {
		return ""
	}
	var named []string
	for _, name := range principalClaims {
		var value bytes.Buffer
		if json.Compact(&value, all[name]) == nil {
			named = append(named, name+" "+value.String())
		}
	}
	return strings.Join(named, ", ")
}

// jwtClaims returns the claims of a JSON Web Token that name its bearer, as they
// stand in it. It returns false for other texts.
func jwtClaims(token string) (string, bool) {
	all, ok := payload(token)
	if !ok {
		return "", false
	}
	var claims strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if slices.Contains(principalClaims, name) || strings.HasPrefix(name, awsClaims) {
			fmt.Fprintf(&claims, "%q: %s\n", name, all[name])
		}
	}
	return claims.String(), true
}

// payload returns all claims of a JSON Web Token that has a bearer.
func payload(token string) (map[string]json.RawMessage, bool) {
	parts := strings.Split(strings.TrimSpace(token), ".")
	if len(parts) != 3 {
		return nil, false
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil, false
	}
	var claims map[string]json.RawMessage
	if json.Unmarshal(text, &claims) != nil || claims["sub"] == nil {
		return nil, false
	}
	return claims, true
}
