package credhelper

import (
	"encoding/json"
	"strings"

	"docker-credential-ecr-login/internal/kubelet"
)

// requestOfOtherVerb returns what to say if stdin holds the request of a client that another verb is
// for, and nothing otherwise. No verb is the empty one.
func requestOfOtherVerb(verb, input string) string {
	var request struct{ Kind, URI string }
	if !strings.HasPrefix(strings.TrimSpace(input), "{") || json.Unmarshal([]byte(input), &request) != nil {
		return ""
	}
	switch {
	case request.Kind == kubelet.RequestKind && verb != kubelet.Verb:
		return `stdin holds the kubelet's request, which is for the verb kubelet: write args: ["kubelet"] into the CredentialProviderConfig`
	case request.URI != "" && verb != "get":
		return "stdin holds Bazel's request, which is for the verb get"
	}
	return ""
}

// WithoutVerb returns what to say if the program was started without a verb and stdin holds the
// request of a client, and nothing otherwise.
func WithoutVerb(input string) string { return requestOfOtherVerb("", input) }

// refuseOtherVerb returns the response to such a request. Its clients read the reason on stderr, and
// the kubelet one without a newline.
func (r *run) refuseOtherVerb(verb, reason string) response {
	r.verb.noNewline = true
	resp := refuse("%s", reason)
	if verb == "get" {
		resp.stdout = notFound + "\n"
	}
	return resp
}
