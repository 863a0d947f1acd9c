package clients

import (
	"strings"
	"testing"

	"github.com/docker/cli/cli/config/types"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// mustRun runs the helper with the arguments that a user types. It must succeed.
func mustRun(t *testing.T, env *testenv.Env, words string) (stdout string) {
	t.Helper()
	r := env.Run(t, words, "")
	if r.Status != 0 {
		t.Fatalf("%s: status %d, stdout %q, stderr %q", words, r.Status, r.Stdout, r.Stderr)
	}
	return r.Stdout
}

// Clients find the helper by the files that configure writes.
func TestConfigure(t *testing.T) {
	// ready returns an Env with an image in the registry and without a client's configuration.
	ready := func(t *testing.T) *testenv.Env {
		env := onRunner(t)
		putImage(t, serveRegistry(t, env), tinyImage(t), imageRef)
		return env
	}

	t.Run("Docker", func(t *testing.T) {
		for _, cli := range dockerCLIs(t) {
			env := ready(t)
			mustRun(t, env, "configure "+pullHost)
			d := docker{env, cli.path}
			d.prepare(t, env)
			d.run(t, nil, "pull", imageRef)
			wantRequests(t, env, cli.name, coldGet)
			record(t, cli.name, cli.version, "pull after configure")
		}
	})
	t.Run("crane", func(t *testing.T) {
		env := ready(t)
		path, version := built(t, "crane")
		mustRun(t, env, "configure --creds-store")
		crane := client{name: "crane", path: path, version: version}
		crane.must(t, env, "crane manifest $REF")
		wantRequests(t, env, "crane", coldGet)
		mustRun(t, env, "configure --creds-store --remove")
		if out, err := crane.run(t, env, "crane manifest $REF"); err == nil {
			t.Errorf("after that was undone: %s", out.stdout)
		}
		record(t, "crane", version, "pull after configure")
	})
	t.Run("skopeo", func(t *testing.T) {
		env := ready(t)
		path, version := installed(t, "skopeo")
		mustRun(t, env, "configure --podman "+pullHost)
		client{name: "skopeo", path: path, version: version, shell: privateMount}.must(t, env, "skopeo inspect docker://$REF")
		wantRequests(t, env, "skopeo", coldGet)
		record(t, "skopeo", version, "pull after configure")
	})
	t.Run("GitLab Runner", func(t *testing.T) {
		env := ready(t)
		for line := range strings.Lines(mustRun(t, env, "configure --print gitlab "+pullHost)) {
			if strings.HasPrefix(line, "DOCKER_AUTH_CONFIG=") {
				env.Set(strings.TrimSpace(line))
			}
		}
		var found map[string]types.AuthConfig
		if stderr := runProgram(t, env, &found, "gitlab-runner"); stderr != "" || found[pullHost].Password == "" {
			t.Errorf("found %d, stderr %q", len(found), stderr)
		}
		recordRunner(t, "the line of configure --print gitlab")
	})
}

// doctor can check a registry that this project didn't write.
func TestDoctorAtRegistry(t *testing.T) {
	env := onRunner(t)
	putImage(t, serveRegistry(t, env), tinyImage(t), imageRef)
	mustRun(t, env, "configure "+pullHost)
	if out := mustRun(t, env, "doctor "+imageRef); !strings.Contains(out, "is there, and may be pulled") || strings.Contains(out, "warning") {
		t.Errorf("%s", out)
	}
	for image, want := range map[string]string{
		pullHost + "/team/app:2.0":  "but 2.0 isn't in it",
		pullHost + "/team/none:1.0": "isn't in it", // distribution has one error for both
	} {
		if r := env.Run(t, "doctor "+image, ""); r.Status != 1 || !strings.Contains(r.Stdout, want) {
			t.Errorf("%s: status %d, %s", image, r.Status, r.Stdout)
		}
	}
}
