package clients

import (
	"archive/tar"
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"go.yaml.in/yaml/v3"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// kanikoImage imports an image with the layout of Kaniko's own (deploy/Dockerfile there): it holds
// the executor's directory alone, with the CA certificates in it.
func (d docker) kanikoImage(t *testing.T, tag string) {
	t.Helper()
	executor := filepath.Join(t.TempDir(), "executor")
	testenv.Must(t, testenv.BuildGo(t.Context(), filepath.Join(testenv.Root(), "e2e"), "./kaniko", executor))
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	addFile(t, w, "kaniko/executor", testenv.ReadFile(t, executor))
	addFile(t, w, "kaniko/ssl/certs/ca-certificates.crt", d.AWS.CAPEM())
	// Kaniko's debug images, which jobs of GitLab need, have a shell.
	addFile(t, w, "busybox/sh", testenv.ReadFile(t, need(t, "busybox")))
	testenv.Must(t, w.Close())
	d.run(t, &buf, "import",
		"--change", "ENV HOME=/root USER=root PATH=/usr/local/bin:/kaniko:/busybox SSL_CERT_DIR=/kaniko/ssl/certs DOCKER_CONFIG=/kaniko/.docker/",
		"--change", `ENTRYPOINT ["/kaniko/executor"]`, "-", tag)
}

// A build pulls its base images from ECR, and pushes the image and its cache there. No token gets
// into a layer, though the layers are made of the file system in which the helper runs.
func testKaniko(t *testing.T, d docker, credentials string) {
	d.kanikoImage(t, "kaniko:local")
	d.target(t, "kaniko", "kaniko:test", "--build-arg", "KANIKO_IMAGE=kaniko:local", "--build-arg", "GITLAB_RUNNER_IMAGE=kaniko:local")
	example := filepath.Join(testenv.Root(), "testdata/kaniko")
	config := []string{"--volume", filepath.Join(example, "config.json") + ":/kaniko/.docker/config.json:ro"}
	executor := func(image, destination string, options ...string) []string {
		return d.container(append(options, "--volume", credentials, "--volume", example+":/workspace:ro", image,
			"--context", "/workspace", "--dockerfile", "/workspace/Dockerfile",
			"--cache", "--cache-repo", pullHost+"/team/cache", "--destination", destination)...)
	}
	for _, test := range []struct {
		name    string
		image   string
		options []string
	}{
		{"helper", "kaniko:test", config},
		{"library", "kaniko:test", nil},
		// An image of a user, which sets no variable.
		{"elsewhere", "kaniko:local", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			d.AWS.ResetCounts()
			destination := pullHost + "/team/" + test.name + ":1.0"
			d.run(t, nil, executor(test.image, destination, test.options...)...)
			wantRequests(t, d.Env, "a build", coldGet)
			d.wantLayers(t, destination, false)
		})
	}
	// Without these measures a layer has a token. If it had none here, the tests above would prove
	// nothing.
	t.Run("in the home", func(t *testing.T) {
		const destination = pullHost + "/team/leaks:1.0"
		d.run(t, nil, executor("kaniko:test", destination, "--env", "AWS_ECR_CACHE_DIR=/root/.ecr")...)
		d.wantLayers(t, destination, true)
	})
	t.Run("in a job", func(t *testing.T) { testKanikoJob(t, d) })

	wantDenied(t, d.Env, func() (output, error) {
		return d.try(t, nil, executor("kaniko:test", pullHost+"/team/denied:1.0", config...)...)
	})
	record(t, "Kaniko's keychain and snapshots, composed as its source does", moduleVersion(t, ggcrModule),
		"pull", "push", "a denied role", "no token in a layer")
}

// The job of docs/gitlab-runner.md, run as the runner does: a shell runs its script, with its
// variables and its ID token in the environment.
func testKanikoJob(t *testing.T, d docker) {
	const pushRole = "arn:aws:iam::222222222222:role/push"
	job := awstest.WebIdentity{
		Issuer: "https://gitlab.example.com", Subject: "project_path:team/app:ref_type:branch:ref:main", Audience: "sts.amazonaws.com",
	}
	d.AWS.AddRole(awstest.Role{ARN: pushRole, WebIdentity: &job})
	var jobs map[string]struct {
		Image     struct{ Name string }
		IDTokens  map[string]struct{ Aud string } `yaml:"id_tokens"`
		Variables map[string]string
		Script    []string
	}
	testenv.Must(t, yaml.Unmarshal(testenv.ReadFile(t, filepath.Join(testenv.Root(), "testdata/gitlab-runner/gitlab-ci.yml")), &jobs))
	spec, ok := jobs["build-image"] // GitLab doesn't allow a job named "image"
	if !ok || len(jobs) != 1 {
		t.Fatalf("there is no job, or another: %v", jobs)
	}
	options := []string{"--volume", filepath.Join(testenv.Root(), "testdata/kaniko") + ":/builds/team/app:ro", "--env", "CI_PROJECT_DIR=/builds/team/app"}
	for name, value := range spec.Variables {
		options = append(options, "--env", name+"="+value)
	}
	for name, claims := range spec.IDTokens {
		job.Audience = claims.Aud
		options = append(options, "--env", name+"="+job.Token(time.Now().Add(time.Hour)))
	}
	d.AWS.ResetCounts()
	d.run(t, nil, d.container(append(options, "--entrypoint", "", "kaniko:test", "sh", "-ec", strings.Join(spec.Script, "\n"))...)...)
	wantRequests(t, d.Env, "a job", map[string]int{"sts:AssumeRoleWithWebIdentity": 1, "ecr:GetAuthorizationToken": 1})
	d.wantLayers(t, pullHost+"/team/app:1.0", false)
}

// wantLayers checks that an image has all files that were built, and none of the helper's files
// unless leaks is true.
func (d docker) wantLayers(t *testing.T, image string, leaks bool) {
	t.Helper()
	files := d.files(t, image)
	for _, file := range []string{"second", "third"} {
		if files[file] == "" {
			t.Errorf("the image lacks %s", file)
		}
	}
	var leaked []string
	for file, text := range files {
		// The passwords of the stand-in begin like this: base64 of a JSON object.
		if strings.Contains(file, ".ecr") || strings.Contains(file, "token") || strings.Contains(text, "eyJkYXRha2V5Ijoi") {
			leaked = append(leaked, file)
		}
	}
	if !strings.HasPrefix(d.Password(t, pullHost), "eyJkYXRha2V5Ijoi") {
		t.Error("the stand-in's passwords begin otherwise")
	}
	if leaks != (len(leaked) > 0) {
		t.Errorf("of the helper's files the image has %q", leaked)
	}
}

// files returns the files of all layers of an image.
func (d docker) files(t *testing.T, image string) map[string]string {
	t.Helper()
	ref, err := name.ParseReference(image)
	testenv.Must(t, err)
	img, err := remote.Image(ref, remote.WithTransport(throughProxy(t, d.Env)), remote.WithAuth(&authn.Basic{Username: "AWS", Password: d.Password(t, pullHost)}))
	testenv.Must(t, err)
	layers, err := img.Layers()
	testenv.Must(t, err)
	files := map[string]string{}
	for _, layer := range layers {
		content, err := layer.Uncompressed()
		testenv.Must(t, err)
		defer content.Close()
		for r := tar.NewReader(content); ; {
			header, err := r.Next()
			if err == io.EOF {
				break
			}
			testenv.Must(t, err)
			text, err := io.ReadAll(r)
			testenv.Must(t, err)
			files[header.Name] += string(text)
		}
	}
	return files
}
