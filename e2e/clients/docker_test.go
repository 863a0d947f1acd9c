package clients

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// A cli is a version of Docker's command line. The installed one may be years old. Since version
// 29, Docker aborts on any error of a helper except "not found".
type cli struct{ name, path, version string }

func dockerCLIs(t *testing.T) []cli {
	t.Helper()
	installedPath, installedVersion := installed(t, "docker")
	builtPath, builtVersion := built(t, "docker")
	return []cli{
		{"Docker, as installed", installedPath, installedVersion},
		{"Docker, newest", builtPath, builtVersion},
	}
}

// docker runs Docker's command line with its own engine.
type docker struct {
	*testenv.Env
	path string
}

// newDocker returns a docker with a configuration and an empty registry.
func newDocker(t *testing.T, path, config string) docker {
	t.Helper()
	env := onRunner(t)
	serveRegistry(t, env)
	example(t, env, dockerConfig, config)
	d := docker{env, path}
	d.prepare(t, env)
	return d
}

// prepare starts the engine and installs the plugins of the command line.
func (d docker) prepare(t *testing.T, env *testenv.Env) {
	t.Helper()
	plugins := filepath.Join(env.Home, ".docker/cli-plugins")
	err := os.MkdirAll(plugins, 0o700)
	for _, plugin := range []string{"docker-buildx", "docker-compose"} {
		path, _ := built(t, plugin)
		err = errors.Join(err, os.Symlink(path, filepath.Join(plugins, plugin)))
	}
	testenv.Must(t, err)
	env.Set("DOCKER_HOST=" + startEngine(t, env))
}

// try runs docker.
func (d docker) try(t *testing.T, stdin io.Reader, args ...string) (output, error) {
	t.Helper()
	return run(t, d.Env, stdin, d.path, append([]string{"docker"}, args...)...)
}

// run runs docker, which must succeed with nothing from the helper on stderr.
func (d docker) run(t *testing.T, stdin io.Reader, args ...string) (stdout string) {
	t.Helper()
	out, err := d.try(t, stdin, args...)
	if err != nil || strings.Contains(out.stderr, testenv.Name) {
		t.Fatalf("docker %s: %v, stdout %q, stderr %q", strings.Join(args, " "), err, out.stdout, out.stderr)
	}
	return strings.TrimSpace(out.stdout)
}

// fail runs docker, which must not succeed.
func (d docker) fail(t *testing.T, args ...string) (stderr string) {
	t.Helper()
	out, err := d.try(t, nil, args...)
	if err == nil {
		t.Fatalf("docker %s succeeded with %q", strings.Join(args, " "), out.stdout)
	}
	return out.stderr
}

func TestDocker(t *testing.T) {
	for _, cli := range dockerCLIs(t) {
		for name, config := range map[string]string{"credsStore": withStore, "credHelpers": withHelpers} {
			t.Run(cli.name+"/"+name, func(t *testing.T) {
				client{
					name: cli.name, path: cli.path, version: cli.version,
					file: dockerConfig, config: config, prepare: docker{path: cli.path}.prepare,
					before: []string{"docker load --input image.tar"},
					push:   "docker push $REF", remove: "docker rmi $REF", pull: "docker pull $REF",
					pulledID: "docker image inspect --format {{.Id}} $REF",
				}.pushAndPull(t)
			})
		}
	}
}

func TestDockerLogin(t *testing.T) {
	for _, cli := range dockerCLIs(t) {
		for name, config := range map[string]string{"credsStore": withStore, "credHelpers": withHelpers} {
			t.Run(cli.name+"/"+name, func(t *testing.T) {
				env := onRunner(t)
				img := tinyImage(t)
				putImage(t, serveRegistry(t, env), img, imageRef)
				example(t, env, dockerConfig, config)
				d := docker{env, cli.path}
				d.prepare(t, env)

				// A login uses the credentials of the helper and stores them.
				d.run(t, nil, "login", pullHost)
				wantRequests(t, d.Env, "a login", coldGet)
				d.run(t, nil, "pull", imageRef)
				wantRequests(t, d.Env, "a pull after a login", nil)
				// A logout erases them.
				d.run(t, nil, "logout", pullHost)
				d.run(t, nil, "pull", imageRef)
				wantRequests(t, d.Env, "a pull after a logout", coldGet)
				if text, err := os.ReadFile(filepath.Join(d.Home, dockerConfig)); err != nil || strings.Contains(string(text), `"auth"`) {
					t.Errorf("the configuration is %q, %v", text, err)
				}
				record(t, cli.name, cli.version, "login", "logout")
			})
		}
	}
}

// A build from a private image. Docker's classic builder calls list and gets every registry in it.
// BuildKit gets the one registry.
func TestDockerBuild(t *testing.T) {
	cold := map[string]map[string]int{
		"0": {
			"imds:token": 1, "imds:roles": 1, "imds:credentials": 1, "sts:AssumeRole": 1,
			"ecr:GetAuthorizationToken": 1, "ecr-public:GetAuthorizationToken": 1,
		},
		"1": coldGet,
	}
	builders := map[string]string{"0": "classic build", "1": "BuildKit build"}
	for _, cli := range dockerCLIs(t) {
		for buildKit, builder := range builders {
			t.Run(cli.name+"/"+builder, func(t *testing.T) {
				env := onRunner(t)
				putImage(t, serveRegistry(t, env), tinyImage(t), imageRef)
				example(t, env, dockerConfig, withStore)
				d := docker{env, cli.path}
				d.prepare(t, env)
				d.Set("DOCKER_BUILDKIT=" + buildKit)
				d.Write(t, "context/Dockerfile", "FROM "+imageRef+"\nCOPY Dockerfile /\n")
				build := []string{"build", "--no-cache", "--pull", "--tag", "built", "context"}

				d.run(t, nil, build...)
				wantRequests(t, d.Env, "a cold build", cold[buildKit])
				d.run(t, nil, build...)
				wantRequests(t, d.Env, "a warm build", nil)
				if layers := d.run(t, nil, "image", "inspect", "--format", "{{len .RootFS.Layers}}", "built"); layers != "2" {
					t.Errorf("the image has %s layers, want 2", layers)
				}
				wantDenied(t, d.Env, func() (output, error) { return d.try(t, nil, build...) })
				record(t, cli.name, cli.version, builder)
				if _, version := built(t, "docker-buildx"); buildKit == "1" {
					record(t, "Docker Buildx", version, builder)
				}
			})
		}
	}
}

// Compose pulls many repositories at once, with one token.
func TestCompose(t *testing.T) {
	_, version := built(t, "docker-compose")
	path, _ := built(t, "docker")
	const images = 40
	env := onRunner(t)
	var refs []string
	var file strings.Builder
	file.WriteString("services:\n")
	for i := range images {
		ref := fmt.Sprintf("%s/team/app-%d:1.0", pullHost, i)
		refs = append(refs, ref)
		fmt.Fprintf(&file, "  app-%d:\n    image: %s\n", i, ref)
	}
	putImage(t, serveRegistry(t, env), tinyImage(t), refs...)
	example(t, env, dockerConfig, withStore)
	env.Write(t, "compose.yaml", file.String())
	d := docker{env, path}
	d.prepare(t, env)

	d.run(t, nil, "compose", "pull")
	wantRequests(t, d.Env, fmt.Sprintf("%d pulls at once", images), coldGet)
	d.run(t, nil, append([]string{"image", "inspect"}, refs...)...)
	d.run(t, nil, "compose", "pull")
	wantRequests(t, d.Env, "warm", nil)
	wantDenied(t, d.Env, func() (output, error) { return d.try(t, nil, "compose", "pull") })
	record(t, "Docker Compose", version, fmt.Sprintf("%d pulls at once, one token", images))
}
