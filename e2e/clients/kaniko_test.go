package clients

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// kanikoImage imports an image that is laid out as Kaniko's own is (deploy/Dockerfile
// there), around the executor: nothing but its folder, with the authorities in it.
func (d docker) kanikoImage(t *testing.T, tag string) {
	t.Helper()
	executor := filepath.Join(t.TempDir(), "executor")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", executor, "./kaniko")
	cmd.Dir, cmd.Env = filepath.Join(root(), "e2e"), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	addFile(t, w, "kaniko/executor", read(t, executor))
	addFile(t, w, "kaniko/ssl/certs/ca-certificates.crt", d.Cloud.CAPEM())
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	d.run(t, &buf, "import",
		"--change", "ENV HOME=/root USER=root PATH=/usr/local/bin:/kaniko SSL_CERT_DIR=/kaniko/ssl/certs DOCKER_CONFIG=/kaniko/.docker/",
		"--change", `ENTRYPOINT ["/kaniko/executor"]`, "-", tag)
}

// A build inside a job: the base image is pulled from ECR, and the image and its cache
// are pushed there. No token gets into a layer, wherever the home is.
func testKaniko(t *testing.T, d docker, credentials string) {
	d.kanikoImage(t, "kaniko:local")
	d.target(t, "kaniko", "kaniko:test", "--build-arg", "KANIKO_IMAGE=kaniko:local", "--build-arg", "GITLAB_RUNNER_IMAGE=kaniko:local")
	config := filepath.Join(root(), "testdata/kaniko/config.json") + ":/kaniko/.docker/config.json:ro"

	for _, test := range []struct {
		name    string
		image   string
		options []string
		want    map[string]int
		leaks   bool
	}{
		{"the helper", "kaniko:test", []string{"--volume", config}, coldGet, false},
		{"the library", "kaniko:test", nil, coldGet, false},
		{"the library in another image", "kaniko:local", nil, coldGet, false},
		// What it is prevented from. If this one held no token, the others would say nothing.
		{"in the home", "kaniko:test", []string{"--env", "AWS_ECR_CACHE_DIR=/root/.ecr"}, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			d.Cloud.ResetCounts()
			destination := pullHost + "/team/" + strings.ReplaceAll(test.name, " ", "-") + ":1.0"
			options := append(test.options, "--volume", credentials, test.image,
				"--base", trialRef, "--cache-repo", pullHost+"/team/cache", "--destination", destination)
			d.run(t, nil, d.container(options...)...)
			if !test.leaks {
				wantRequests(t, d.Lab, "a build", test.want)
			}
			files := d.files(t, destination)
			for _, file := range []string{"stage-1-command-0", "stage-1-command-1"} {
				if _, ok := files[file]; !ok {
					t.Errorf("the image lacks %s", file)
				}
			}
			var leaked []string
			for file := range files {
				if strings.Contains(file, ".ecr") {
					leaked = append(leaked, file)
				}
			}
			if (len(leaked) > 0) != test.leaks {
				t.Errorf("of the helper's files the image has %q", leaked)
			}
		})
	}

	wantDenied(t, d.Lab, func() (output, error) {
		return d.try(t, nil, d.container("--volume", config, "--volume", credentials, "kaniko:test",
			"--base", trialRef, "--cache-repo", pullHost+"/team/cache", "--destination", pullHost+"/team/denied:1.0")...)
	})
	record(t, "Kaniko's keychain and snapshots, composed as its source does", moduleVersion(t, "github.com/google/go-containerregistry"),
		"pull", "push", "a denied role", "no token in a layer")
}

// files are those of all the layers of an image.
func (d docker) files(t *testing.T, image string) map[string]bool {
	t.Helper()
	ref, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	img, err := remote.Image(ref, remote.WithTransport(throughProxy(t, d.Lab)), remote.WithAuth(&authn.Basic{Username: "AWS", Password: d.Password(t, pullHost)}))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	for _, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		for r := tar.NewReader(content); ; {
			header, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			files[header.Name] = true
		}
	}
	return files
}
