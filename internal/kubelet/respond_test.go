package kubelet

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

const (
	nodeRole = "arn:aws:iam::111111111111:role/node"
	podRole  = "arn:aws:iam::111111111111:role/pod"
)

func TestForServiceAccount(t *testing.T) {
	mapped := registrymap.Target{Principal: registrymap.Principal{Profile: "x"}, Where: "map.toml:3"}
	unmapped := registrymap.Target{}
	ofVariable := registrymap.Target{Principal: registrymap.Principal{RoleARN: nodeRole}, Where: registrymap.RoleVariable}
	annotated := func(role string) map[string]string { return map[string]string{RoleAnnotation: role} }
	pod := func(role string) registrymap.Principal {
		return registrymap.Principal{RoleARN: role, RoleSessionName: "ecr-credential-provider", WebIdentityToken: "token"}
	}
	for name, c := range map[string]struct {
		token         string
		annotations   map[string]string
		target        registrymap.Target
		variable      string
		asAWSProvider bool
		want          registrymap.Principal
	}{
		"the node, without a token":                            {target: unmapped, want: registrymap.Principal{}},
		"the map's principal, without a token":                 {target: mapped, want: mapped.Principal},
		"the variable's role, without a token":                 {target: ofVariable, variable: nodeRole, want: ofVariable.Principal},
		"not the variable's role, in the place of AWS's":       {target: ofVariable, variable: nodeRole, asAWSProvider: true, want: registrymap.Principal{}},
		"the account's role":                                   {token: "token", annotations: annotated(podRole), target: unmapped, want: pod(podRole)},
		"the account's role, with blanks around it":            {token: "token", annotations: annotated(" " + podRole + "\n"), target: unmapped, want: pod(podRole)},
		"the account's role, before the map's principal":       {token: "token", annotations: annotated(podRole), target: mapped, want: pod(podRole)},
		"the account's role, before the variable's":            {token: "token", annotations: annotated(podRole), target: ofVariable, variable: nodeRole, want: pod(podRole)},
		"the variable's role with the account's token":         {token: "token", target: ofVariable, variable: nodeRole, want: pod(nodeRole)},
		"the map's principal, for an account without a role":   {token: "token", target: mapped, variable: nodeRole, want: mapped.Principal},
		"the node, for an account with an empty role":          {token: "token", annotations: annotated(""), target: ofVariable, variable: nodeRole, want: registrymap.Principal{}},
		"the node, for an account with a role but no token":    {annotations: annotated(podRole), target: unmapped, want: registrymap.Principal{}},
		"the map's principal, in the place of AWS's, no token": {target: mapped, asAWSProvider: true, want: mapped.Principal},
	} {
		t.Run(name, func(t *testing.T) {
			m := &registrymap.Map{Default: registrymap.Principal{RoleARN: c.variable}}
			request := Request{ServiceAccountToken: c.token, ServiceAccountAnnotations: c.annotations}
			got, err := forServiceAccount(request, c.target, m, c.asAWSProvider)
			if err != nil || got.Principal != c.want {
				t.Errorf("got %+v, %v; want %+v", got.Principal, err, c.want)
			}
		})
	}
	m := &registrymap.Map{DefaultErr: errors.New("the variable is wrong")}
	refused := registrymap.Target{Where: registrymap.RoleVariable, Refusal: m.DefaultErr}
	if got, err := forServiceAccount(Request{ServiceAccountToken: "token", ServiceAccountAnnotations: annotated(podRole)}, refused, m, false); err != nil || got.Refusal != nil {
		t.Errorf("a variable that isn't used refuses: %+v, %v", got, err)
	}
	if _, err := forServiceAccount(Request{ServiceAccountToken: "token", ServiceAccountAnnotations: annotated("pod")}, unmapped, m, false); err == nil || !strings.Contains(err.Error(), RoleAnnotation) {
		t.Errorf("a role that is none: %v", err)
	}
}

func TestRespond(t *testing.T) {
	const host = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
	ask := func(image string) string {
		text, _ := json.Marshal(Request{APIVersion: API, Kind: RequestKind, Image: image})
		return string(text)
	}
	for name, c := range map[string]struct {
		input    string
		env      config.Env
		failure  *failure.Failure
		duration string // of the response
		auth     bool
		err      string // in the error's text
	}{
		"a registry":                {input: ask(host + "/app:1"), auth: true},
		"another host":              {input: ask("docker.io/app"), duration: "0s"},
		"another host, a wrong map": {input: ask("docker.io/app"), env: config.Env{"AWS_ECR_CONFIG=map.toml"}, err: "docker.io: AWS_ECR_CONFIG"},
		"denied":                    {input: ask(host + "/app"), failure: &failure.Failure{Kind: failure.Denied, Reason: "no"}, err: host + ": no"},
		"public, denied":            {input: ask("public.ecr.aws/x/y"), failure: &failure.Failure{Kind: failure.Denied, Reason: "no"}, duration: "1m0s"},
		"no JSON":                   {input: "x", err: "CredentialProviderRequest"},
		"another version":           {input: strings.Replace(ask(host), "/v1", "/v2", 1), err: "apiVersion"},
		"no image":                  {input: ask(""), err: "no image"},
	} {
		t.Run(name, func(t *testing.T) {
			load := func() *tokensource.Resolver {
				r := tokensource.Load(append(config.Env{"AWS_ECR_DISABLE_CACHE=1"}, c.env...), "")
				r.Fetch = func(_ context.Context, q tokensource.Request) (tokensource.Response, error) {
					if !q.OnInstance {
						t.Error("a node isn't taken for an instance")
					}
					if c.failure != nil {
						return tokensource.Response{}, c.failure
					}
					// It is fresh for less than half of its life.
					return tokensource.Response{Registry: q.Registry, Password: "password", RequestedAt: time.Now(), TTL: 12 * time.Hour}, nil
				}
				return r
			}
			text, err := Respond(t.Context(), c.input, load(), false)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%q, %v; want an error with %q", text, err, c.err)
				}
				return
			}
			var r Response
			if err := errors.Join(err, json.Unmarshal([]byte(text), &r)); err != nil {
				t.Fatal(err)
			}
			if c.auth {
				if fresh, err := time.ParseDuration(r.CacheDuration); err != nil || fresh < 5*time.Hour-time.Minute || fresh > 6*time.Hour || r.Auth[host] != (Auth{"AWS", "password"}) {
					t.Errorf("%s", text)
				}
			} else if r.CacheDuration != c.duration || len(r.Auth) > 0 {
				t.Errorf("%s; want nothing for %s", text, c.duration)
			}
		})
	}
}

func TestArgsOf(t *testing.T) {
	isCommand := func(word string) bool { return word == "get" }
	for _, c := range []struct{ argv, want []string }{
		{nil, nil},
		{[]string{"docker-credential-ecr-login", "x"}, []string{"x"}},
		{[]string{"/bin/ecr-credential-provider"}, []string{Verb}},
		{[]string{"/bin/ecr-credential-provider", AWSArgument}, []string{Verb}},
		{[]string{"/bin/ecr-credential-provider", "get"}, []string{"get"}},
	} {
		if got := ArgsOf(c.argv, isCommand); !slices.Equal(got, c.want) {
			t.Errorf("ArgsOf(%q) = %q, want %q", c.argv, got, c.want)
		}
	}
}
