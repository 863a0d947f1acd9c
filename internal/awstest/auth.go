package awstest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// anonymousToken is what a public registry gives to everybody.
const anonymousToken = "anonymous-token-of-public-ecr"

// PublicAuth puts the access control of public ECR before a registry: requests must come with a
// bearer token, either base64 of the user AWS and a password that VerifyToken accepts, or the one
// that /token/ gives to everybody. See
// https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html
func (c *Server) PublicAuth(host string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token/" {
			json.NewEncoder(w).Encode(map[string]string{"token": anonymousToken})
			return
		}
		bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if ok && bearer == anonymousToken {
			next.ServeHTTP(w, r)
			return
		}
		text, err := base64.StdEncoding.DecodeString(bearer)
		password, isAWS := strings.CutPrefix(string(text), "AWS:")
		if err == nil && ok && isAWS {
			_, err = c.VerifyToken(password, host)
		}
		if err != nil || !ok || !isAWS {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="https://%s/token/",service=%q,scope="aws"`, host, host))
			registryError(w, http.StatusUnauthorized, "DENIED", "Not Authorized")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// RegistryAuth puts ECR's access control before a registry that is to be the
// one at host: requests must come with Basic credentials of the user AWS and a
// password that VerifyToken accepts. Others get 401 and a challenge, or 403 if
// only the permission is missing.
func (c *Server) RegistryAuth(host string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
		user, password, ok := r.BasicAuth()
		if !ok || user != "AWS" {
			challenge(w, host, "no basic auth credentials")
			return
		}
		who, err := c.VerifyToken(password, host)
		switch {
		case errors.Is(err, ErrNotPermitted):
			registryError(w, http.StatusForbidden, "DENIED", fmt.Sprintf(
				"User: %s is not authorized to perform: ecr:BatchGetImage on the registry at %s", who, host))
		case err != nil:
			challenge(w, host, err.Error())
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func challenge(w http.ResponseWriter, host, why string) {
	w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Basic realm="https://%s/",service="ecr.amazonaws.com"`, host))
	registryError(w, http.StatusUnauthorized, "UNAUTHORIZED", why)
}

// registryError answers in the shape of the distribution specification.
func registryError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{ // a client that left hears nothing
		"errors": []map[string]string{{"code": code, "message": message}},
	})
}
