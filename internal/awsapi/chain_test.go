package awsapi

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"docker-credential-ecr-login/internal/registry"
)

// Requests go to the configured region, but for those that another partition would not know.
func TestMainRegion(t *testing.T) {
	irish := registry.Registry{Account: "111122223333", Region: "eu-west-1"}
	chinese := registry.Registry{Account: "111122223333", Region: "cn-north-1"}
	for _, c := range []struct {
		registry         registry.Registry
		configured, want string
	}{
		{registry.Registry{}, "", ""},
		{registry.Registry{}, "cn-north-1", "cn-north-1"},
		{irish, "", "eu-west-1"},
		{irish, "us-west-2", "us-west-2"},
		{irish, "cn-north-1", "eu-west-1"},
		{chinese, "us-west-2", "cn-north-1"},
		{chinese, "cn-northwest-1", "cn-northwest-1"},
		{registry.Registry{Public: true}, "", registry.PublicRegion},
		{registry.Registry{Public: true}, "eu-west-1", "eu-west-1"},
		{registry.Registry{Public: true}, "cn-north-1", registry.PublicRegion},
	} {
		chain := &chain{configured: c.configured}
		chain.request.Registry = c.registry
		if got := chain.mainRegion(); got != c.want {
			t.Errorf("%+v, configured %q: %q, want %q", c.registry, c.configured, got, c.want)
		}
	}
}

func TestMetadataTimeout(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "-1": 0, "1.5": 0, "2s": 0, " 2": 0, "2": 2 * time.Second, "8": 8 * time.Second, "60": 8 * time.Second,
	} {
		c := newChain(newRequest(t, "AWS_METADATA_SERVICE_TIMEOUT="+value))
		c.request.Timeout = 8 * time.Second
		if got := c.metadataTimeout(); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

// Whatever an answer repeats, no secret is shown.
func TestClean(t *testing.T) {
	const secret = "Sesame-0pen!"
	file := write(t, " "+secret+"-file\n")
	c := newChain(newRequest(t,
		"AWS_SECRET_ACCESS_KEY="+secret+"-key", "AWS_SESSION_TOKEN="+secret+"-session", "CI_TOKEN="+secret+"-ci",
		"HTTPS_PROXY=http://u:"+secret+"-proxy@p", "http_proxy=http://u:"+secret+"%zz@p", "AWS_SECRET_KEY=short"))
	c.request.Principal.WebIdentityToken, c.request.Principal.WebIdentityTokenEnv = secret+"-kubelet", "CI_TOKEN"
	c.request.Principal.WebIdentityTokenFile = file
	c.profiles = []*awsconfig.SharedConfig{{Credentials: aws.Credentials{SecretAccessKey: secret + "-profile"}}}
	c.resolved = []aws.Credentials{{SecretAccessKey: secret + "-a", SessionToken: secret + "-b"}}
	c.requestLog.note(func(seen *observed) { seen.sent = []string{secret + "-header"} })
	for _, name := range []string{"key", "session", "ci", "proxy", "kubelet", "file", "profile", "a", "b", "header"} {
		if got := c.clean("x " + secret + "-" + name + ", y"); got != "x ***, y" {
			t.Errorf("%s: %q", name, got)
		}
	}
	for text, want := range map[string]string{
		"a short word":                                  "a short word",
		"a\nb\tc":                                       "a b c",
		"Sesame-\x000pen!-key":                          "***", // a secret that a character splits
		"http://user:pass@host/x":                       "http://***@host/x",
		"https://h/x?a=b&c=d and more?":                 "https://h/x?*** and more?",
		"http://u:" + secret + "%zz@p":                  "http://***@p",
		"key " + strings.Repeat("aB3/", 10) + ".":       "key ***.",
		strings.Repeat("a", 41):                         strings.Repeat("a", 41),
		"token " + strings.Repeat("eyJ0.", 30) + " end": "token *** end",
	} {
		if got := c.clean(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
