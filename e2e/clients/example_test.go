package clients

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/pelletier/go-toml/v2"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// The set-up of docs/gitlab-runner.md, with the files that it shows.

// With the runner's configuration of the docs, the runner finds credentials for the image of its
// jobs, and can pull it.
func TestGitLabRunnerExample(t *testing.T) {
	var config struct {
		Runners []struct {
			Environment []string
			Docker      struct{ Image string }
		}
	}
	if err := toml.Unmarshal(testenv.ReadFile(t, filepath.Join(testenv.Root(), "testdata/gitlab-runner/config.toml")), &config); err != nil || len(config.Runners) != 1 {
		t.Fatalf("%d runners, %v", len(config.Runners), err)
	}
	runner := config.Runners[0]
	env := onRunner(t)
	putImage(t, serveRegistry(t, env), tinyImage(t), runner.Docker.Image)
	env.Set(runner.Environment...)

	var found map[string]types.AuthConfig
	if stderr := runProgram(t, env, &found, "gitlab-runner"); stderr != "" {
		t.Errorf("on stderr is %q", stderr)
	}
	ref, err := name.ParseReference(runner.Docker.Image)
	testenv.Must(t, err)
	auth := found["https://"+ref.Context().RegistryStr()]
	img, err := remote.Image(ref, remote.WithTransport(throughProxy(t, env)),
		remote.WithAuth(&authn.Basic{Username: auth.Username, Password: auth.Password}))
	if err == nil {
		err = validate.Image(img)
	}
	if err != nil {
		t.Errorf("the job's image can't be pulled: %v", err)
	}
	recordRunner(t, "the config.toml of the docs")
}

// The compose file of the docs builds the runner's image and mounts what it needs.
func testCompose(t *testing.T, d docker) {
	override := filepath.Join(t.TempDir(), "override.yaml")
	text, err := json.Marshal(map[string]any{"services": map[string]any{"runner": map[string]any{
		"build": map[string]any{
			"network": "none",
			"args":    map[string]string{"GO_IMAGE": "go:local", "GITLAB_RUNNER_IMAGE": "glibc:local"},
		},
		"command":      []string{"sleep", "600"}, // instead of the runner
		"network_mode": "host",
		"environment": map[string]string{
			"HTTPS_PROXY":                       d.AWS.ProxyURL(),
			"AWS_EC2_METADATA_SERVICE_ENDPOINT": d.AWS.MetadataURL(),
		},
		// The machine may have no socket at its usual path.
		"volumes": []string{d.socket() + ":/var/run/docker.sock"},
	}}})
	testenv.Must(t, err)
	write(t, override, text)
	compose := func(stdin string, args ...string) (output, error) {
		t.Helper()
		return d.try(t, strings.NewReader(stdin), append([]string{
			"compose", "--file", filepath.Join(testenv.Root(), "testdata/gitlab-runner/compose.yaml"), "--file", override,
		}, args...)...)
	}
	defer compose("", "down", "--timeout", "0")
	if out, err := compose("", "up", "--build", "--detach"); err != nil {
		t.Fatalf("up: %v, %s", err, out.stderr)
	}
	d.AWS.ResetCounts()
	out, err := compose("", "exec", "-T", "runner", "docker-credential-ecr-login", "list")
	if err != nil || !strings.Contains(out.stdout, `"https://`+pullHost+`":"AWS"`) {
		t.Errorf("list: %v, stdout %q, stderr %q", err, out.stdout, out.stderr)
	}
	out, err = compose(pullHost, "exec", "-T", "runner", "docker-credential-ecr-login", "get")
	if err != nil {
		t.Fatalf("get: %v, stderr %q", err, out.stderr)
	}
	d.wantPull(t, out.stdout)
}

// socket returns the path of the engine's socket.
func (d docker) socket() string { return strings.TrimPrefix(d.Get("DOCKER_HOST"), "unix://") }
