package credhelper

import (
	"context"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/tokensource"
)

// What a verb prints, and where, for each way in which it can end.
func TestVerbs(t *testing.T) {
	const host = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
	gives := func(_ context.Context, q tokensource.Request) (tokensource.Response, error) {
		return tokensource.Response{Registry: q.Registry, Password: "password", RequestedAt: time.Now(), TTL: time.Hour}, nil
	}
	fails := func(kind failure.Kind) tokensource.Fetch {
		return func(context.Context, tokensource.Request) (tokensource.Response, error) {
			return tokensource.Response{}, &failure.Failure{Kind: kind, Reason: "why", Hint: "what to do"}
		}
	}
	panics := func(context.Context, tokensource.Request) (tokensource.Response, error) { panic("oh") }
	const (
		credentials = `{"ServerURL":"` + host + `","Username":"AWS","Secret":"password"}` + "\n"
		none        = notFound + "\n"
		reason      = name + ": " + host + ": why; what to do\n"
		loud        = "AWS_ECR_ON_ERROR=fail"
		kubelet     = `{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"` + host + `/app"}`
	)
	for what, c := range map[string]struct {
		verb, input    string
		env            string
		fetch          tokensource.Fetch
		stdout, stderr string // all of it, or its beginning before "…"
		status         int
	}{
		"get":                              {"get", host, "", gives, credentials, "", 0},
		"get, nothing":                     {"get", " \n", "", gives, noServer + "\n", "", 1},
		"get, another host":                {"get", "docker.io", "", gives, none, "", 1},
		"get, another host, a wrong map":   {"get", "docker.io", "AWS_ECR_CONFIG=map.toml", gives, none, name + ": AWS_ECR_CONFIG…", 1},
		"get, a failure":                   {"get", host, "", fails(failure.Denied), none, reason, 1},
		"get, a failure, loud":             {"get", host, loud, fails(failure.Denied), reason, "", 1},
		"get, a wrong setting":             {"get", host, "AWS_ECR_TIMEOUT=soon", gives, none, name + ": " + host + ": AWS_ECR_TIMEOUT…", 1},
		"get, a panic":                     {"get", host, "", panics, none, name + ": " + host + ": internal error: oh; please report it\n", 1},
		"get, a panic, loud":               {"get", host, loud, panics, name + ": " + host + ": internal error: oh; please report it\n", "", 1},
		"get, public, a failure":           {"get", "public.ecr.aws", loud, fails(failure.Denied), none, "", 1},
		"get, Bazel":                       {"get", `{"uri":"https://` + host + `/"}`, "", gives, `{"headers":{"Authorization":…`, "", 0},
		"get, Bazel, a failure":            {"get", `{"uri":"https://` + host + `/"}`, "", fails(failure.Denied), "", reason, 1},
		"get, Bazel, a panic":              {"get", `{"uri":"https://` + host + `/"}`, "", panics, "", name + ": internal error: oh; please report it\n", 1},
		"get, JSON of another client":      {"get", `{"x":1}`, "", gives, none, "", 1},
		"get, the kubelet's request":       {"get", kubelet, "", gives, none, name + ": stdin holds the kubelet's request…", 1},
		"kubelet":                          {"kubelet", kubelet, "", gives, `{"apiVersion":…`, "", 0},
		"kubelet, a failure":               {"kubelet", kubelet, "", fails(failure.Denied), "", strings.TrimSuffix(reason, "\n"), 1},
		"kubelet, Bazel's request":         {"kubelet", `{"uri":"https://x"}`, "", gives, "", name + ": stdin holds Bazel's request…", 1},
		"store":                            {"store", `{"ServerURL":"` + host + `"}`, "", nil, "", "", 0},
		"store, a wrong setting":           {"store", `{"ServerURL":"` + host + `"}`, "AWS_ECR_TIMEOUT=soon", nil, "", "", 0},
		"store, another host":              {"store", `{"ServerURL":"docker.io"}`, "", nil, name + ": keeps no credentials…", "", 1},
		"store, another host, a wrong map": {"store", `{"ServerURL":"docker.io"}`, "AWS_ECR_CONFIG=map.toml", nil, name + ": AWS_ECR_CONFIG…", "", 1},
		"store, another host, ignored":     {"store", `{"ServerURL":"docker.io"}`, "AWS_ECR_IGNORE_CREDS_STORAGE=true", nil, "", "", 0},
		"store, no JSON":                   {"store", "x", "", nil, name + ": store wants…", "", 1},
		"store, no server":                 {"store", "{}", "", nil, noServer + "\n", "", 1},
		"erase":                            {"erase", host, "", nil, "", "", 0},
		"erase, nothing":                   {"erase", "", "", nil, noServer + "\n", "", 1},
		"erase, another host":              {"erase", "docker.io", "", nil, "", "", 0},
		"erase, a wrong setting":           {"erase", host, "AWS_ECR_TIMEOUT=soon", nil, name + ": AWS_ECR_TIMEOUT…", "", 1},
		"erase, another host, a wrong map": {"erase", "docker.io", "AWS_ECR_CONFIG=map.toml", nil, name + ": AWS_ECR_CONFIG…", "", 1},
		"list, a wrong setting":            {"list", "", "AWS_ECR_TIMEOUT=soon", gives, "{}\n", name + ": AWS_ECR_TIMEOUT…", 0},
		"list, a wrong setting, loud":      {"list", "", loud + " AWS_ECR_TIMEOUT=soon", gives, name + ": AWS_ECR_TIMEOUT…", "", 1},
		"list, a failure":                  {"list", "", "", fails(failure.Timeout), "{}\n", name + ": your own registry is left out: why; what to do\n" + name + ": public ECR is left out: why; what to do\n", 0},
		"list, a failure, loud":            {"list", "", loud, fails(failure.Timeout), name + ": your own registry is left out: why; what to do; public ECR is left out: why; what to do\n", "", 1},

		"another verb": {"pull", "", "", nil, "", name + ": unknown verb \"pull\"\n", 1},
	} {
		t.Run(what, func(t *testing.T) {
			env := append(config.Env{"AWS_ECR_DISABLE_CACHE=1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}, strings.Fields(c.env)...)
			var stdout, stderr strings.Builder
			p := &Process{Args: []string{c.verb}, Stdin: strings.NewReader(c.input), Stdout: &stdout, Stderr: &stderr, Env: env, Home: "/nowhere"}
			status, ok := Early(p)
			if !ok {
				if stdout.Len()+stderr.Len() > 0 {
					t.Errorf("Early prints %q and %q, and goes on", stdout.String(), stderr.String())
				}
				status = Main(p, Dependencies{Fetch: c.fetch})
			}
			if status != c.status || !isLike(stdout.String(), c.stdout) || !isLike(stderr.String(), c.stderr) {
				t.Errorf("status %d, stdout %q, stderr %q; want %d, %q, %q", status, stdout.String(), stderr.String(), c.status, c.stdout, c.stderr)
			}
		})
	}
}

// isLike reports whether a text is the wanted one, or begins with what stands before its "…".
func isLike(text, wanted string) bool {
	beginning, isBeginning := strings.CutSuffix(wanted, "…")
	return text == wanted || isBeginning && strings.HasPrefix(text, beginning)
}

// Early answers by itself what needs no dependencies, and only that.
func TestEarly(t *testing.T) {
	for _, c := range []struct {
		args  string
		input string
		home  string
		env   string
		want  bool
	}{
		{"get", "docker.io", "/nowhere", "", true},
		{"get", "111111111111.dkr.ecr.eu-west-1.amazonaws.com", "/nowhere", "", false},
		{"get", "111111111111.dkr.ecr.eu-west-1.amazonaws.com", "/nowhere", "AWS_ECR_TIMEOUT=soon", true},
		{"get", "docker.io", "", "", false}, // main finds another home
		{"get x", "docker.io", "/nowhere", "", false},
		{"doctor", "", "/nowhere", "", false},
		{"", "", "/nowhere", "", false},
		{"list", "", "/nowhere", "AWS_ECR_FALLBACK=x", false},
		{"store", `{"ServerURL":"111111111111.dkr.ecr.eu-west-1.amazonaws.com"}`, "/nowhere", "", true},
	} {
		var stdout, stderr strings.Builder
		p := &Process{Args: strings.Fields(c.args), Stdin: strings.NewReader(c.input), Stdout: &stdout, Stderr: &stderr, Env: append(config.Env{"AWS_ECR_DISABLE_CACHE=1"}, strings.Fields(c.env)...), Home: c.home}
		if _, ok := Early(p); ok != c.want {
			t.Errorf("%+v: %v", c, ok)
		}
	}
}
