package credhelper

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/kubelet"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

// The roles of mappedEnv: that of the registry map, and that of the variables.
const (
	mappedRole = "arn:aws:iam::333333333333:role/mapped"
	otherRole  = "arn:aws:iam::444444444444:role/other"
)

// mappedEnv returns an environment with a registry map in a temporary directory.
func mappedEnv(f *testing.F) config.Env {
	const text = `[[registry]]
host = "333333333333.dkr.ecr.*.amazonaws.com"
role_arn = "` + mappedRole + `"
[[registry]]
host = "images.example.com"
alias_of = "333333333333.dkr.ecr.eu-west-1.amazonaws.com"
role_arn = "` + mappedRole + `"
`
	file := filepath.Join(f.TempDir(), "map.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
	return config.Env{"AWS_ECR_CONFIG=" + file, "AWS_ECR_ROLE_ARN=" + otherRole, "AWS_ECR_DISABLE_CACHE=1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}
}

// runGet runs a get with an input that names a server. It checks that the input chooses a registry
// and nothing else, and that no part of it breaks a line of stderr. public reports whether the
// token is one of public ECR.
func runGet(t *testing.T, env config.Env, input, server string) (status int, stdout, stderr string, public bool) {
	t.Helper()
	server = strings.ToLower(server)
	var out, errs strings.Builder
	p := &Process{Args: []string{"get"}, Stdin: strings.NewReader(input), Stdout: &out, Stderr: &errs, Env: env, Home: "/nowhere"}
	status = Main(p, Dependencies{
		Fetch: func(_ context.Context, q tokensource.Request) (tokensource.Response, error) {
			if role := q.Principal.RoleARN; role != mappedRole && role != otherRole && !q.Registry.Public {
				t.Errorf("the role is %q", role)
			}
			if q.Principal != (registrymap.Principal{RoleARN: q.Principal.RoleARN}) {
				t.Errorf("the principal is %+v", q.Principal)
			}
			if host := q.Registry.Host(); !strings.Contains(server, host) && !strings.Contains(server, "images.example.com") {
				t.Errorf("a token is fetched for %s", host)
			}
			public = q.Registry.Public
			return tokensource.Response{Registry: q.Registry, Password: "password", RequestedAt: time.Now(), TTL: time.Hour}, nil
		},
	})
	stdout, stderr = out.String(), errs.String()
	if strings.Count(stderr, "\n") > 1 || strings.Contains(stderr, "internal error") ||
		strings.ContainsFunc(strings.TrimSuffix(stderr, "\n"), func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("on stderr is %q", stderr)
	}
	return status, stdout, stderr, public
}

// bazelURI returns the URI in a request of Bazel; false if the input is none.
func bazelURI(input string) (string, bool) {
	var request struct{ URI string }
	if !strings.HasPrefix(input, "{") || json.Unmarshal([]byte(input), &request) != nil || request.URI == "" {
		return "", false
	}
	return request.URI, true
}

// For any input of Docker's protocol, a get prints credentials or a "not found" of that protocol.
func FuzzGet(f *testing.F) {
	env := mappedEnv(f)
	for _, server := range []string{
		"", "{", "111111111111.dkr.ecr.eu-west-1.amazonaws.com", "https://333333333333.dkr.ecr.eu-west-1.amazonaws.com/v2/\n",
		"HTTP://IMAGES.example.com:443/x", "public.ecr.aws", "docker.io",
		"a@333333333333.dkr.ecr.eu-west-1.amazonaws.com", "333333333333.dkr.ecr.eu-west-1.amazonaws.com\n[default]\nrole_arn=x",
		"111111111111.dkr.ecr.\x1b[31m.amazonaws.com", "111111111111.dkr.ecr.eu-west-1.amazonaws.com\u202e",
	} {
		f.Add(server)
	}
	f.Fuzz(func(t *testing.T, input string) {
		server := strings.TrimSpace(input)
		if _, isBazel := bazelURI(server); isBazel {
			t.Skip("see FuzzBazel")
		}
		status, out, _, _ := runGet(t, env, input, server)
		if status != 0 {
			if status != 1 || out != notFound+"\n" && out != noServer+"\n" {
				t.Errorf("status %d, stdout %q", status, out)
			}
			return
		}
		var c struct{ ServerURL, Username, Secret string }
		if err := json.Unmarshal([]byte(out), &c); err != nil || c.ServerURL != strings.ToValidUTF8(server, "\ufffd") || c.Username != "AWS" || c.Secret != "password" {
			t.Errorf("it prints %q, %v", out, err)
		}
		if _, ok := registry.Parse(server); !ok && !strings.Contains(strings.ToLower(server), "images.example.com") {
			t.Errorf("%q isn't a registry of ECR", server)
		}
	})
}

// For any URI that Bazel sends, a get prints the header for an HTTPS server or one line on stderr.
func FuzzBazel(f *testing.F) {
	env := mappedEnv(f)
	for _, uri := range []string{
		"x", "https://333333333333.dkr.ecr.eu-west-1.amazonaws.com/v2/", "https://images.example.com:443/v2/?a#b",
		"HTTPS://public.ecr.aws", "http://333333333333.dkr.ecr.eu-west-1.amazonaws.com:80",
		"https://a:b@333333333333.dkr.ecr.eu-west-1.amazonaws.com/", "https://333333333333.dkr.ecr.eu-west-1.amazonaws.com:8443",
	} {
		f.Add(`{"uri":"` + uri + `"}`)
	}
	f.Fuzz(func(t *testing.T, input string) {
		uri, isBazel := bazelURI(strings.TrimSpace(input))
		if !isBazel {
			t.Skip("see FuzzGet")
		}
		status, out, stderr, public := runGet(t, env, input, uri)
		if status != 0 {
			if status != 1 || out != "" || stderr == "" {
				t.Errorf("status %d, stdout %q, stderr %q", status, out, stderr)
			}
			return
		}
		authorization := "Basic QVdTOnBhc3N3b3Jk"
		if public {
			authorization = "Bearer QVdTOnBhc3N3b3Jk"
		}
		var c struct {
			Headers map[string][]string
			Expires time.Time
		}
		if err := json.Unmarshal([]byte(out), &c); err != nil || len(c.Headers) != 1 || c.Headers["Authorization"][0] != authorization || !c.Expires.After(time.Now()) {
			t.Errorf("it prints %q, %v", out, err)
		}
		if len(uri) < len("https://") || !strings.EqualFold(uri[:len("https://")], "https://") {
			t.Errorf("a token is sent to %q", uri)
		}
	})
}

// For any input of the kubelet, the helper prints a response of its protocol or one line on stderr.
// If the input asks for a service account's role, no other principal's token is fetched.
func FuzzKubelet(f *testing.F) {
	const host = "333333333333.dkr.ecr.eu-west-1.amazonaws.com"
	for _, text := range []string{
		"", "{}", "null", "[]",
		`{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"` + host + `/app:1"}`,
		`{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"` + host + `/app@sha256:x","serviceAccountToken":"a.b.c","serviceAccountAnnotations":{"eks.amazonaws.com/ecr-role-arn":"arn:aws:iam::333333333333:role/pod"}}`,
		`{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"docker.io/x"}`,
		`{"apiVersion":"credentialprovider.kubelet.k8s.io/v2","kind":"CredentialProviderRequest","image":"x"}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, input string) {
		var request kubelet.Request
		json.Unmarshal([]byte(strings.TrimSpace(input)), &request)
		role := strings.TrimSpace(request.ServiceAccountAnnotations[kubelet.RoleAnnotation])
		var stdout, stderr strings.Builder
		status := Main(&Process{
			Args: []string{"kubelet"}, Stdin: strings.NewReader(input), Stdout: &stdout, Stderr: &stderr,
			Env: config.Env{"AWS_ECR_CONFIG=/dev/null", "AWS_ECR_DISABLE_CACHE=1"}, Home: "/nowhere",
		}, Dependencies{
			Fetch: func(_ context.Context, q tokensource.Request) (tokensource.Response, error) {
				want := registrymap.Principal{}
				if request.ServiceAccountToken != "" && role != "" {
					want = registrymap.Principal{RoleARN: role, RoleSessionName: "ecr-credential-provider", WebIdentityToken: request.ServiceAccountToken}
				}
				if q.Principal != want {
					t.Errorf("the principal is %+v, want %+v", q.Principal, want)
				}
				return tokensource.Response{Registry: q.Registry, Password: "password", RequestedAt: time.Now(), TTL: time.Hour}, nil
			},
		})
		message := stderr.String()
		if status == 0 {
			var r kubelet.Response
			if err := json.Unmarshal([]byte(stdout.String()), &r); err != nil || r.Kind != "CredentialProviderResponse" || len(r.Auth) > 1 || message != "" {
				t.Errorf("it prints %q, and %q on stderr, %v", stdout.String(), message, err)
			}
			return
		}
		if status != 1 || stdout.Len() > 0 || message == "" || strings.Contains(message, "internal error") ||
			strings.ContainsFunc(message, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("status %d, stdout %q, stderr %q", status, stdout.String(), message)
		}
	})
}
