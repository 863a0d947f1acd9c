package scripts

import (
	"regexp"
	"strings"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

var initialised = regexp.MustCompile(`(?m)^init (\S+) @`)

// A warm get must not initialise the SDK, net/http and logrus: that takes longer than the rest of
// its work. See package faststart.
func TestWarmStartsNoSDK(t *testing.T) {
	env := testenv.WithKeys(t)
	env.Write(t, ".ecr/config.toml", "[[registry]]\nhost = \""+testenv.Host+"\"\n")
	env.Set("GODEBUG=inittrace=1")
	started := func(verb, server string) (all, heavy []string) {
		t.Helper()
		r := env.Run(t, verb, server)
		if r.Status != 0 && server != "docker.io" {
			t.Fatalf("%s %s: status %d, stderr %q", verb, server, r.Status, r.Stderr)
		}
		for _, match := range initialised.FindAllStringSubmatch(r.Stderr, -1) {
			all = append(all, match[1])
			if isHeavy(match[1]) {
				heavy = append(heavy, match[1])
			}
		}
		return all, heavy
	}
	if all, heavy := started("get", testenv.Host); len(heavy) < 10 {
		t.Fatalf("a cold get starts only %q of %d packages, so the trace shows too little", heavy, len(all))
	}
	for _, run := range [][2]string{
		{"get", testenv.Host}, {"get", `{"uri":"https://` + testenv.Host + `/v2/"}`},
		{"kubelet", testenv.KubeletRequest(testenv.Host + "/app")},
		{"list", ""}, {"get", "docker.io"}, {"erase", testenv.Host}, {"erase", "docker.io"},
	} {
		all, heavy := started(run[0], run[1])
		if len(heavy) > 0 || len(all) < 10 {
			t.Errorf("%s %s, warm, starts %q of %d packages", run[0], run[1], heavy, len(all))
		}
	}
}

func isHeavy(pkg string) bool {
	switch pkg {
	case "github.com/aws/aws-sdk-go-v2/internal/sdk", "github.com/aws/aws-sdk-go-v2/internal/timeouts":
		return false // they import nothing, so Go initialises them first
	case "net", "net/http", "crypto/tls", "crypto/x509", "os/exec", "regexp":
		return true
	}
	return strings.HasPrefix(pkg, "github.com/aws/") || strings.HasPrefix(pkg, "github.com/sirupsen/")
}
