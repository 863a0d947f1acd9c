package scripts

import (
	"fmt"
	"net/http"
	"strings"
)

const (
	configDigest = "sha256:5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"
	imageDigest  = "sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
)

// images returns a registry with three repositories. It answers requests below a path with a
// status: refuses is, for example, /v2/team/app/blobs=403.
func images(refuses string) http.Handler {
	manifest := fmt.Sprintf(`{"schemaVersion":2,"config":{"digest":%q},"layers":[]}`, configDigest)
	files := map[string]string{
		"/v2/":                                   "{}",
		"/v2/team/app/manifests/1.0":             manifest,
		"/v2/team/app/manifests/" + imageDigest:  manifest,
		"/v2/team/app/blobs/" + configDigest:     "{}",
		"/v2/team/both/manifests/1.0":            fmt.Sprintf(`{"schemaVersion":2,"manifests":[{"digest":%q},{"digest":"sha256:x"}]}`, imageDigest),
		"/v2/team/both/manifests/" + imageDigest: manifest,
		"/v2/team/both/blobs/" + configDigest:    "{}",
		"/v2/team/odd/manifests/1.0":             "<html>",
	}
	path, status, _ := strings.Cut(refuses, "=")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.URL.Path]
		_, password, _ := r.BasicAuth()
		repository, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
		switch _, known := files["/v2/"+repository+"/manifests/1.0"]; {
		case status != "" && strings.HasPrefix(r.URL.Path, path):
			var code int
			fmt.Sscan(status, &code)
			// A registry might repeat the password it got.
			message := "User is not authorized to perform: ecr:BatchGetImage with " + password
			if code == http.StatusNotFound {
				message = "Requested image not found"
			}
			registryError(w, code, "DENIED", message)
		case ok && strings.Contains(r.URL.Path, "/blobs/"):
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere") // ECR keeps blobs in S3
			w.WriteHeader(http.StatusTemporaryRedirect)
		case ok:
			fmt.Fprint(w, text)
		case !known:
			registryError(w, http.StatusNotFound, "NAME_UNKNOWN", "The repository with name '"+repository+"' does not exist")
		default:
			registryError(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image not found")
		}
	})
}

func registryError(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, message)
}
