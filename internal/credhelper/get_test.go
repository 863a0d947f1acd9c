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

// Whatever comes on stdin, it names a registry and decides nothing else: the principal is
// one of the map's, the answer is of the protocol's form, and nothing it holds breaks a line.
func FuzzGet(f *testing.F) {
	home := f.TempDir()
	const mapped, other = "arn:aws:iam::333333333333:role/mapped", "arn:aws:iam::444444444444:role/other"
	text := `[[registry]]
host = "333333333333.dkr.ecr.*.amazonaws.com"
role_arn = "` + mapped + `"
[[registry]]
host = "images.example.com"
alias_of = "333333333333.dkr.ecr.eu-west-1.amazonaws.com"
role_arn = "` + mapped + `"
`
	file := filepath.Join(home, "map.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
	env := config.Env{"AWS_ECR_CONFIG=" + file, "AWS_ECR_ROLE_ARN=" + other, "AWS_ECR_DISABLE_CACHE=1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}

	for _, server := range []string{
		"", "{", "111111111111.dkr.ecr.eu-west-1.amazonaws.com", "https://333333333333.dkr.ecr.eu-west-1.amazonaws.com/v2/\n",
		"HTTP://IMAGES.example.com:443/x", "public.ecr.aws", "docker.io", "{\"uri\":\"x\"}",
		`{"uri":"https://333333333333.dkr.ecr.eu-west-1.amazonaws.com/v2/"}`, `{"uri":"https://images.example.com:443/v2/?a#b"}`,
		`{"uri":"HTTPS://public.ecr.aws"}`, `{"uri":"http://333333333333.dkr.ecr.eu-west-1.amazonaws.com:80"}`,
		`{"uri":"https://a:b@333333333333.dkr.ecr.eu-west-1.amazonaws.com/"}`, `{"uri":"https://333333333333.dkr.ecr.eu-west-1.amazonaws.com:8443"}`,
		"a@333333333333.dkr.ecr.eu-west-1.amazonaws.com", "333333333333.dkr.ecr.eu-west-1.amazonaws.com\n[default]\nrole_arn=x",
		"111111111111.dkr.ecr.\x1b[31m.amazonaws.com", "111111111111.dkr.ecr.eu-west-1.amazonaws.com\u202e",
	} {
		f.Add(server)
	}
	f.Fuzz(func(t *testing.T, input string) {
		server := strings.TrimSpace(input)
		named, isBazel := bazelURI(server)
		if !isBazel {
			named = server
		}
		authorization := ""
		var stdout, stderr strings.Builder
		p := &Process{Args: []string{"get"}, Stdin: strings.NewReader(input), Stdout: &stdout, Stderr: &stderr, Env: env, Home: home}
		status := Main(p, Dependencies{
			Fetch: func(_ context.Context, q tokensource.Request) (tokensource.Response, error) {
				if role := q.Principal.RoleARN; role != mapped && role != other && !q.Registry.Public {
					t.Errorf("the role is %q", role)
				}
				if q.Principal != (registrymap.Principal{RoleARN: q.Principal.RoleARN}) {
					t.Errorf("the principal is %+v", q.Principal)
				}
				if host := q.Registry.Host(); !strings.Contains(strings.ToLower(named), host) && !strings.Contains(strings.ToLower(named), "images.example.com") {
					t.Errorf("asked for %s", host)
				}
				authorization = "Basic QVdTOnBhc3N3b3Jk"
				if q.Registry.Public {
					authorization = "Bearer QVdTOnBhc3N3b3Jk"
				}
				return tokensource.Response{Registry: q.Registry, Password: "password", RequestedAt: time.Now(), TTL: time.Hour}, nil
			},
		})
		switch out := stdout.String(); {
		case isBazel && status == 0:
			var c struct {
				Headers map[string][]string
				Expires time.Time
			}
			if err := json.Unmarshal([]byte(out), &c); err != nil || len(c.Headers) != 1 || c.Headers["Authorization"][0] != authorization || !c.Expires.After(time.Now()) {
				t.Errorf("it prints %q, %v", out, err)
			}
			if len(named) < len("https://") || !strings.EqualFold(named[:len("https://")], "https://") {
				t.Errorf("a token goes to %q", named)
			}
		case isBazel:
			if status != 1 || out != "" || stderr.Len() == 0 {
				t.Errorf("status %d, stdout %q, stderr %q", status, out, stderr.String())
			}
		case status == 0:
			var c struct{ ServerURL, Username, Secret string }
			if err := json.Unmarshal([]byte(out), &c); err != nil || c.ServerURL != strings.ToValidUTF8(server, "\ufffd") || c.Username != "AWS" || c.Secret != "password" {
				t.Errorf("it prints %q, %v", out, err)
			}
			if _, ok := registry.Parse(server); !ok && !strings.Contains(strings.ToLower(server), "images.example.com") {
				t.Errorf("%q is no registry", server)
			}
		case status != 1 || out != notFound+"\n" && out != noServer+"\n":
			t.Errorf("status %d, stdout %q", status, out)
		}
		said := stderr.String()
		if strings.Count(said, "\n") > 1 || strings.Contains(said, "internal error") ||
			strings.ContainsFunc(strings.TrimSuffix(said, "\n"), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("on stderr is %q", said)
		}
	})
}

// bazelURI is what Bazel asks about, false where it isn't Bazel that asks.
func bazelURI(input string) (string, bool) {
	var asked struct{ URI string }
	if !strings.HasPrefix(input, "{") || json.Unmarshal([]byte(input), &asked) != nil || asked.URI == "" {
		return "", false
	}
	return asked.URI, true
}

// Whatever the kubelet sends, it gets a response of its form or one line that says why not;
// and where a service account's role is asked for, nobody else's token is got.
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
		var asked kubelet.Request
		json.Unmarshal([]byte(strings.TrimSpace(input)), &asked)
		role := strings.TrimSpace(asked.ServiceAccountAnnotations[kubelet.RoleAnnotation])
		var stdout, stderr strings.Builder
		status := Main(&Process{
			Args: []string{"kubelet"}, Stdin: strings.NewReader(input), Stdout: &stdout, Stderr: &stderr,
			Env: config.Env{"AWS_ECR_CONFIG=/dev/null", "AWS_ECR_DISABLE_CACHE=1"}, Home: "/nowhere",
		}, Dependencies{
			Fetch: func(_ context.Context, q tokensource.Request) (tokensource.Response, error) {
				wanted := registrymap.Principal{}
				if asked.ServiceAccountToken != "" && role != "" {
					wanted = registrymap.Principal{RoleARN: role, RoleSessionName: "ecr-credential-provider", WebIdentityToken: asked.ServiceAccountToken}
				}
				if q.Principal != wanted {
					t.Errorf("the principal is %+v, want %+v", q.Principal, wanted)
				}
				return tokensource.Response{Registry: q.Registry, Password: "password", RequestedAt: time.Now(), TTL: time.Hour}, nil
			},
		})
		said := stderr.String()
		if status == 0 {
			var r kubelet.Response
			if err := json.Unmarshal([]byte(stdout.String()), &r); err != nil || r.Kind != "CredentialProviderResponse" || len(r.Auth) > 1 || said != "" {
				t.Errorf("it prints %q and says %q, %v", stdout.String(), said, err)
			}
			return
		}
		if status != 1 || stdout.Len() > 0 || said == "" || strings.Contains(said, "internal error") ||
			strings.ContainsFunc(said, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("status %d, stdout %q, stderr %q", status, stdout.String(), said)
		}
	})
}
