package doctor

import (
	"slices"
	"strings"
	"testing"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/dockerconfig"
)

const password = `{"auth": "bWU6TUFSS0VE"}`

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct{ image, text, want string }{
		"credHelpers":               {host, `{"credHelpers": {"` + host + `": "ecr-login"}}`, "ok f has clients call this helper for " + host + " (credHelpers)"},
		"another helper":            {host, `{"credHelpers": {"` + host + `": "pass"}}`, "failure f has clients call docker-credential-pass for " + host + " | => fix"},
		"another, and our store":    {host, `{"credHelpers": {"` + host + `": "pass"}, "credsStore": "ecr-login"}`, "failure f has clients call docker-credential-pass"},
		"ours, and another store":   {host, `{"credHelpers": {"` + host + `": "ecr-login"}, "credsStore": "desktop"}`, "ok f has clients call this helper"},
		"our store":                 {host, `{"credsStore": "ecr-login"}`, "ok f has clients call this helper for all hosts (credsStore)"},
		"our store hides":           {host, `{"credsStore": "ecr-login", "auths": {"ghcr.io": ` + password + `}}`, "warning f | hides the passwords in it for ghcr.io | => set a fallback"},
		"our store, own password":   {host, `{"credsStore": "ecr-login", "auths": {"` + host + `": ` + password + `}}`, "ok f has clients call this helper for all hosts"},
		"another store":             {host, `{"credsStore": "desktop"}`, "failure f has clients call docker-credential-desktop for all hosts | => fix"},
		"a password":                {host, `{"auths": {"https://` + host + `": ` + password + `}}`, "failure f holds a password for " + host + " | => fixPassword"},
		"an empty auth":             {host, `{"auths": {"` + host + `": {}}}`, ""},
		"another host's password":   {host, `{"auths": {"ghcr.io": ` + password + `}}`, ""},
		"a scheme":                  {host, `{"credHelpers": {"https://` + host + `": "ecr-login"}}`, `failure f names "https://` + host + `" | they look for "` + host + `" | => fix`},
		"a scheme, another store":   {host, `{"credHelpers": {"https://` + host + `": "ecr-login"}, "credsStore": "desktop"}`, "failure f names "},
		"a misspelt key":            {host, `{"credHelper": {"` + host + `": "ecr-login"}}`, `failure f has the key "credHelper" | => write credHelpers`},
		"a misspelt key, a store":   {host, `{"credHelper": {"` + host + `": "ecr-login"}, "credsStore": "desktop"}`, `failure f has the key "credHelper"`},
		"a password, misspelt key":  {host, `{"credsStor": "x", "auths": {"` + host + `": ` + password + `}}`, "failure f holds a password"},
		"nothing":                   {host, `{}`, ""},
		"no host, our hosts":        {"", `{"credHelpers": {"b.io": "ecr-login", "a.io": "ecr-login", "c.io": "pass"}}`, "ok f has clients call this helper for a.io, b.io (credHelpers)"},
		"no host, a scheme":         {"", `{"credHelpers": {"https://a.io": "ecr-login"}}`, `failure f names "https://a.io" | they look for "a.io"`},
		"no host, Docker Hub's key": {"", `{"credHelpers": {"` + hubKey + `": "ecr-login"}}`, "ok f has clients call this helper for " + hubKey},
		"no host, another store":    {"", `{"credsStore": "desktop"}`, "failure f has clients call docker-credential-desktop"},
		"no host, nothing":          {"", `{}`, ""},
	} {
		d, _ := newDiagnosis(t, c.image, "")
		f, err := dockerconfig.Parse("f", c.text)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, name, d.judge(f, "fix", "fixPassword"), c.want)
		if isList := strings.Contains(name, "our store") && !strings.HasPrefix(name, "another"); isList != slices.Equal(d.listClients, []string{"f"}) {
			t.Errorf("%s: %q ask for a list first", name, d.listClients)
		}
	}
	d, _ := newDiagnosis(t, host, "", "AWS_ECR_FALLBACK=keys")
	f, _ := dockerconfig.Parse("f", `{"credsStore": "ecr-login", "auths": {"ghcr.io": `+password+`}}`)
	expect(t, "with a fallback", d.judge(f, "", ""), "ok f has clients call this helper for all hosts")
}

func TestVariable(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unset":       {"", ""},
		"broken":      {"{", "failure DOCKER_AUTH_CONFIG: line 1 | => fix it"},
		"a password":  {`{"auths": {"` + host + `": ` + password + `}}`, "failure DOCKER_AUTH_CONFIG holds a password for " + host + " | => unset it"},
		"a store":     {`{"credsStore": "pass"}`, "warning DOCKER_AUTH_CONFIG in this environment names a helper | configure " + host},
		"a helper":    {`{"credHelpers": {"` + host + `": "ecr-login"}}`, "warning DOCKER_AUTH_CONFIG in this environment names a helper"},
		"other hosts": {`{"credHelpers": {"ghcr.io": "ecr-login"}, "auths": {"ghcr.io": ` + password + `}}`, ""},
	} {
		d, _ := newDiagnosis(t, host, "", "DOCKER_AUTH_CONFIG="+c.text)
		expect(t, name, d.variable(), c.want)
	}
}

func TestClients(t *testing.T) {
	const (
		helper  = `{"credHelpers": {"` + host + `": "ecr-login"}}`
		runners = "[[runners]]\nname = \"r\"\nenvironment = ["
	)
	for name, c := range map[string]struct {
		image, docker, podman, runner string
		want                          []string
	}{
		"nothing":         {host, "", "", "", []string{"warning there is no  | so Docker calls no helper | => run: " + program + " configure " + host}},
		"docker":          {host, helper, "", "", []string{"ok  | /config.json has clients call this helper"}},
		"docker, no host": {"", "{}", "", "", []string{"warning  | call no helper for a registry | => run: " + program + " configure HOST"}},
		"a password":      {host, `{"auths": {"` + host + `": ` + password + `}}`, "", "", []string{"failure  | && docker logout " + host}},
		"broken":          {host, "{", "", "", []string{"failure  | /config.json: line 1 | => fix it; clients"}},
		"podman":          {host, "", helper, "", []string{"ok  | /auth.json has podman, buildah and skopeo call"}},
		"podman, docker":  {host, "{}", helper, "", []string{"ok  | /auth.json", "warning  | /config.json has clients call no helper"}},
		"podman, unset":   {host, "", `{}`, "", []string{"warning there is no "}},
		"a runner":        {host, "", "", runners + `'DOCKER_AUTH_CONFIG={"credsStore":"ecr-login"}']`, []string{"ok  | runner r: DOCKER_AUTH_CONFIG has clients call this helper"}},
		"a runner without": {host, "", "", runners + "]", []string{
			"warning  | runner r: DOCKER_AUTH_CONFIG names no helper, and there is no config.json | => " + printGitLab}},
		"a runner, docker": {host, helper, "", runners + "]", []string{"ok  | /config.json has clients call this helper"}},
		"a runner's password": {host, "", "", runners + `'DOCKER_AUTH_CONFIG={"auths":{"` + host + `":` + password + `}}']`, []string{
			"failure  | holds a password | => " + printGitLab}},
		"a runner's typo": {host, "", "", runners + `'DOCKER_AUTH_CONFIG={']`, []string{"failure  | runner r: DOCKER_AUTH_CONFIG: line 1"}},
		"a shell runner":  {host, helper, "", "[[runners]]\nexecutor = \"shell\"\n", []string{"ok  | /config.json has clients call this helper"}},
		"no TOML":         {host, "", "", "[[", []string{"failure GitLab Runner can't read  | config.toml:1: "}},
		"a wrong type":    {host, "", "", "[[runners]]\n\nname = 1\n", []string{"failure GitLab Runner can't read  | config.toml:3: "}},
	} {
		d, found := newDiagnosis(t, c.image, "")
		home := d.Settings.Home
		for path, text := range map[string]string{
			"/.docker/config.json": c.docker, "/.config/containers/auth.json": c.podman, "/gitlab-runner/config.toml": c.runner,
		} {
			if text != "" {
				write(t, home+path, text)
			}
		}
		d.Env = config.Env{"HOME=" + home, "CONFIG_FILE=" + home + "/gitlab-runner/config.toml"}
		d.report(d.clients(t.Context()))
		expectAll(t, name, *found, c.want)
	}
}

func expectAll(t *testing.T, name string, found []Finding, want []string) {
	t.Helper()
	if len(found) != len(want) {
		t.Errorf("%s: %q, want %q", name, found, want)
		return
	}
	for i, f := range found {
		expect(t, name, f, want[i])
	}
}

func TestClientsWithoutMapOrHome(t *testing.T) {
	d, _ := newDiagnosis(t, "ghcr.io/x", "")
	d.blocked = true
	expect(t, "a failure of the map", d.clients(t.Context()), "skipped an earlier check failed")
	d, _ = newDiagnosis(t, host, "")
	d.blocked = true
	expect(t, "a host of ECR", d.clients(t.Context()), "warning there is no ")
	d, found := newDiagnosis(t, host, "")
	d.Env, d.Settings.Home = config.Env{"CONFIG_FILE=/nowhere"}, ""
	d.report(d.clients(t.Context()))
	expectAll(t, "no home", *found, []string{"warning there is no home | => set HOME"})
}

// A file of another program in CONFIG_FILE isn't GitLab Runner's, unless it reads like that.
func TestGitLabRunners(t *testing.T) {
	d, found := newDiagnosis(t, host, "")
	for name, c := range map[string]struct {
		path, text string
		files      int
		isRunner   bool
	}{
		"absent":          {"/gitlab-runner/absent.toml", "", 0, false},
		"another program": {"/app.yaml", "a: 1", 0, false},
		"three runners": {"/app.toml", "[[runners]]\nexecutor = \"kubernetes\"\n[[runners]]\nexecutor = \"docker+machine\"\n" +
			"[[runners]]\nexecutor = \"ssh\"\n[[runners]]\nenvironment = [\"DOCKER_AUTH_CONFIG={}\"]\n", 3, true},
		"none": {"/gitlab-runner/none.toml", "concurrent = 1", 0, false},
	} {
		if c.text != "" {
			write(t, d.Settings.Home+c.path, c.text)
		}
		d.Env = config.Env{"CONFIG_FILE=" + d.Settings.Home + c.path}
		files, isRunner := d.gitlabRunners()
		if len(files) != c.files || isRunner != c.isRunner || len(*found) > 0 {
			t.Errorf("%s: %d files, %v, %v", name, len(files), isRunner, *found)
		}
	}
}

func TestClientsOfFallback(t *testing.T) {
	for name, c := range map[string]struct{ image, docker, runner, want string }{
		"nobody":          {"ghcr.io/x", "", "", "warning  | .docker/config.json has no client call this helper for ghcr.io | => run: " + program + " configure --creds-store"},
		"the store":       {"ghcr.io/x", `{"credsStore": "ecr-login"}`, "", "ok  | has clients call this helper for ghcr.io"},
		"another store":   {"ghcr.io/x", `{"credsStore": "pass"}`, "", "warning  | has no client call"},
		"another helper":  {"ghcr.io/x", `{"credsStore": "ecr-login", "credHelpers": {"ghcr.io": "gh"}}`, "", "warning  | has no client call"},
		"a helper":        {"ghcr.io/x", `{"credHelpers": {"ghcr.io": "ecr-login"}}`, "", "ok  | for ghcr.io"},
		"Docker Hub":      {"nginx", `{"credHelpers": {"` + hubKey + `": "ecr-login"}}`, "", "ok  | for docker.io"},
		"a runner":        {"ghcr.io/x", "", `'DOCKER_AUTH_CONFIG={"credsStore":"ecr-login"}'`, "ok  | runner without a name"},
		"a runner, unset": {"ghcr.io/x", "", `""`, "warning no runner calls this helper for ghcr.io | => " + printGitLab},
	} {
		d, found := newDiagnosis(t, c.image, "", "AWS_ECR_FALLBACK=keys")
		if c.docker != "" {
			write(t, d.Settings.Home+"/.docker/config.json", c.docker)
		}
		if c.runner != "" {
			write(t, d.Settings.Home+"/absent.toml", "[[runners]]\nenvironment = ["+c.runner+"]\n")
		}
		d.report(d.clients(t.Context()))
		expectAll(t, name, *found, []string{c.want})
	}
}

func TestFallback(t *testing.T) {
	for name, c := range map[string]struct{ image, script, want string }{
		"its own server":  {"ghcr.io/x", `echo '{"a.io": "", "https://GHCR.io/v2/": "me"}'`, "ok docker-credential-keys has credentials for https://GHCR.io/v2/"},
		"none":            {"ghcr.io/x", `echo '{"a.io": "me"}'`, "warning docker-credential-keys has no credentials for ghcr.io => run: docker login ghcr.io"},
		"another port":    {"ghcr.io/x", `echo '{"ghcr.io:5000": "me"}'`, "warning "},
		"Docker Hub":      {"nginx", `echo '{"` + hubKey + `": "me"}'`, "ok  | for " + hubKey},
		"not Docker Hub":  {"nginx", `echo '{"ghcr.io": "me"}'`, "warning  | has no credentials for docker.io => run: docker login$"},
		"a failed helper": {"ghcr.io/x", "echo oh >&2; exit 1", "failure AWS_ECR_FALLBACK: | gave no answer to list | oh => fix it"},
		"a host of ECR":   {host, "exit 1", ""},
		"no host":         {"", "exit 1", ""},
	} {
		installFallback(t, c.script)
		d, _ := newDiagnosis(t, c.image, "", "AWS_ECR_FALLBACK=keys")
		expect(t, name, d.fallback(t.Context()), c.want)
		if d.done != (c.want != "") {
			t.Errorf("%s: done %v", name, d.done)
		}
	}
	d, _ := newDiagnosis(t, "ghcr.io/x", "")
	expect(t, "no helper", d.fallback(t.Context()), "")
}
