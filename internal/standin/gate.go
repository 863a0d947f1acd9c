package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// RegistryGate puts ECR's access control before a registry that is to be the
// one at host: requests must come with Basic credentials of the user AWS and a
// password that VerifyToken accepts. Others get 401 and a challenge, or 403 if
// only the permission is missing.
func (c *Cloud) RegistryGate(host string, next http.Handler) http.Handler {
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
