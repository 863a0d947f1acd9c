package bazel

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/tokensource"
)

func TestAddressOf(t *testing.T) {
	for uri, want := range map[string]string{ // the host and the port, or what is in the error
		"https://HOST.example.com/v2/":       "host.example.com:",
		"HTTPS://host.example.com:8443?a=b":  "host.example.com:8443",
		"https://host.example.com#x":         "host.example.com:",
		"http://host.example.com/":           "over https",
		"https://me:secret@host.example.com": "names a user",
		"host.example.com":                   "no URI",
		"https://":                           "no URI",
		"https:///v2/":                       "no URI",
		"https://host.example.com:port/":     "no URI",
	} {
		address, err := addressOf(uri)
		switch {
		case err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret")):
			t.Errorf("addressOf(%q): %v", uri, err)
		case err == nil && address.Host+":"+address.Port != want:
			t.Errorf("addressOf(%q) = %+v, want %s", uri, address, want)
		}
	}
}

func TestRespond(t *testing.T) {
	const host = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
	denied := &failure.Failure{Kind: failure.Denied, Reason: "no"}
	for name, c := range map[string]struct {
		input   string
		env     config.Env
		failure *failure.Failure
		text    string // at the beginning of the response, or in the error
		isErr   bool
	}{
		"a registry":                {`{"uri":"https://` + host + `/v2/"}`, nil, nil, `{"headers":{"Authorization":["Basic QVdTOnBhc3N3b3Jk"]},"expires":"`, false},
		"public":                    {`{"uri":"https://public.ecr.aws/v2/"}`, nil, nil, `{"headers":{"Authorization":["Bearer QVdTOnBhc3N3b3Jk"]},"expires":"`, false},
		"public, denied":            {`{"uri":"https://public.ecr.aws/v2/"}`, nil, denied, `{"headers":{}}`, false},
		"denied":                    {`{"uri":"https://` + host + `"}`, nil, denied, host + ": no", true},
		"another port":              {`{"uri":"https://` + host + `:8443/"}`, nil, nil, "somebody else", true},
		"another host":              {`{"uri":"https://example.com/"}`, nil, nil, "neither a registry", true},
		"another host, a wrong map": {`{"uri":"https://example.com/"}`, config.Env{"AWS_ECR_CONFIG=map.toml"}, nil, "AWS_ECR_CONFIG", true},
		"another client":            {`{"kind":"x"}`, nil, nil, ErrUnknownClient.Error(), true},
	} {
		t.Run(name, func(t *testing.T) {
			resolver := tokensource.Load(append(config.Env{"AWS_ECR_DISABLE_CACHE=1"}, c.env...), "")
			resolver.Fetch = func(_ context.Context, q tokensource.Request) (tokensource.Response, error) {
				if c.failure != nil {
					return tokensource.Response{}, c.failure
				}
				return tokensource.Response{Registry: q.Registry, Password: "password", RequestedAt: time.Now(), TTL: 12 * time.Hour}, nil
			}
			text, err := Respond(t.Context(), c.input, resolver)
			if c.isErr != (err != nil) || err == nil && !strings.HasPrefix(text, c.text) || err != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("%q, %v; want %q", text, err, c.text)
			}
			if errors.Is(err, tokensource.ErrCacheMiss) {
				t.Error("a miss with something to fetch")
			}
		})
	}
}
