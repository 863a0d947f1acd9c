package scripts

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

var writeSessions = flag.Bool("sessions", false, "write what doctor prints into docs/troubleshooting.md")

// sessions are the cases for which docs/troubleshooting.md shows the output of doctor. Each
// function breaks something in an environment in which everything works.
var sessions = map[string]func(t *testing.T, env *testenv.Env){
	"healthy":   func(*testing.T, *testenv.Env) {},
	"no helper": func(t *testing.T, env *testenv.Env) { os.Remove(filepath.Join(env.Home, ".docker/config.json")) },
	"denied":    func(_ *testing.T, env *testenv.Env) { env.AWS.Deny("sts:AssumeRole", testenv.PullRole) },
	"hop limit": func(_ *testing.T, env *testenv.Env) { env.AWS.Fail("imds:token", awstest.Fault{Hang: true}) },
	"no role":   func(_ *testing.T, env *testenv.Env) { env.AWS.SetInstanceRole("") },
	"no trust": func(_ *testing.T, env *testenv.Env) {
		env.Set("AWS_CA_BUNDLE", "SSL_CERT_FILE=/etc/ssl/certs/company.pem")
	},
	"no tag":  func(_ *testing.T, env *testenv.Env) { serveImages(env, "/v2/team/app/manifests=404") },
	"refused": func(_ *testing.T, env *testenv.Env) { serveImages(env, "/v2/team/app/manifests=403") },
	"other keys": func(_ *testing.T, env *testenv.Env) {
		env.Set("AWS_ACCESS_KEY_ID=AKIAOLD", "AWS_SECRET_ACCESS_KEY=old")
	},
	"shadowed": func(t *testing.T, env *testenv.Env) {
		env.Write(t, ".docker/config.json", `{"auths": {"`+testenv.Host+`": {"auth": "QVdTOnNlY3JldA=="}}}`)
	},
	"other helper": func(t *testing.T, env *testenv.Env) { env.Write(t, ".docker/config.json", `{"credsStore": "desktop"}`) },
	"no mount": func(t *testing.T, env *testenv.Env) {
		file := filepath.Join(env.Home, ".aws/credentials")
		os.Remove(file)
		os.Mkdir(file, 0o700)
	},
	"no login": func(t *testing.T, env *testenv.Env) {
		env.Write(t, ".aws/credentials", "")
		env.Write(t, ".aws/config", "[profile dev]\nsso_session = acme\nsso_account_id = 222222222222\nsso_role_name = Developer\n[sso-session acme]\nsso_start_url = https://acme.awsapps.com/start\nsso_region = eu-west-1\n")
		env.Set("AWS_PROFILE=dev")
	},
}

func serveImages(env *testenv.Env, refuses string) {
	env.AWS.Handle(testenv.Host, env.AWS.RegistryAuth(testenv.Host, images(refuses)))
}

// The docs show what doctor prints: in blocks that begin with a line "<!-- doctor: SESSION -->".
func TestSessions(t *testing.T) {
	const doc = "../../docs/troubleshooting.md"
	text := testenv.ReadFile(t, doc)
	shown := map[string]bool{}
	block := regexp.MustCompile(`(?m)^<!-- doctor: (.*) -->\n\n(?:(?: {4}.*)?\n)*`)
	now := block.ReplaceAllStringFunc(string(text)+"\n", func(old string) string {
		name := block.FindStringSubmatch(old)[1]
		shown[name] = true
		prepare := sessions[name]
		if prepare == nil {
			t.Errorf("there is no session %q", name)
			return old
		}
		return fmt.Sprintf("<!-- doctor: %s -->\n\n%s\n", name, session(t, prepare))
	})
	now = strings.TrimSuffix(now, "\n")
	for name := range sessions {
		if !shown[name] {
			t.Errorf("%s doesn't show the session %q", doc, name)
		}
	}
	switch {
	case *writeSessions:
		if err := os.WriteFile(doc, []byte(now), 0o644); err != nil {
			t.Error(err)
		}
	case now != string(text):
		t.Errorf("%s shows something else than doctor prints; run make sessions, which would write\n%s", doc, now)
	}
}

const sessionImage = testenv.Host + "/team/app:1.0"

// session returns the output of doctor as a block of Markdown. Paths, addresses, times and versions
// of this run are replaced by typical ones.
func session(t *testing.T, prepare func(t *testing.T, env *testenv.Env)) string {
	env := testenv.OnInstance(t)
	env.Set("AWS_METADATA_SERVICE_TIMEOUT") // the case "hop limit" shows the SDK's own timeout
	serveImages(env, "")
	env.Write(t, ".docker/config.json", `{"credHelpers": {"`+testenv.Host+`": "ecr-login"}}`)
	prepare(t, env)
	r := env.Run(t, "doctor "+sessionImage, "")
	if r.Stderr != "" {
		t.Errorf("on stderr is %q", r.Stderr)
	}
	out := strings.NewReplacer(
		env.Home, "/root",
		filepath.Dir(testenv.Binary(t)), "/usr/local/bin",
		strings.TrimPrefix(env.AWS.ProxyURL(), "http://"), "proxy.example.com:3128",
		strings.TrimPrefix(env.AWS.MetadataURL(), "http://"), "169.254.169.254",
	).Replace(r.Stdout)
	for pattern, with := range map[string]string{
		`(v\S+|\(devel\)) \(go[^)]*\)`:     "VERSION",
		`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`: "2026-11-24T10:41:36Z",
		`aws-go-sdk-\d+`:                   "aws-go-sdk-1795477441955433876",
		`(?m)^`:                            "    ",
	} {
		out = regexp.MustCompile(pattern).ReplaceAllString(out, with)
	}
	if strings.Contains(out, "    warning ") || strings.Contains(out, "    failure ") {
		out = withoutOK(out)
	}
	return "    $ docker-credential-ecr-login doctor " + sessionImage + "\n" + strings.TrimRight(out, " \n") + "\n"
}

// withoutOK replaces lines that are ok, and the lines that belong to them, by an ellipsis.
func withoutOK(out string) string {
	lines := regexp.MustCompile(`(?m)^    ok .*\n(?: {24}- .*\n)*`).ReplaceAllString(out, "    …\n")
	return regexp.MustCompile(`(    …\n)+`).ReplaceAllString(lines, "    …\n")
}
