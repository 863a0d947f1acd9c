package clients

import (
	"archive/tar"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// These tests build the targets of the Dockerfile with a real engine. Their base images are made
// here, because none can be pulled. A container uses the network of the machine, and so reaches the
// server.

// goImage imports the image in which the helper is built: Debian, Go and the modules of the helper,
// so that the build needs no network.
func (d docker) goImage(t *testing.T, tag string) {
	t.Helper()
	modules, file := t.TempDir(), filepath.Join(t.TempDir(), "go.tar")
	command := func(dir string, env []string, name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	goroot := command(testenv.Root(), nil, "go", "env", "GOROOT")
	cache := command(testenv.Root(), nil, "go", "env", "GOMODCACHE")
	command(testenv.Root(), nil, "go", "mod", "download")
	command(testenv.Root(), []string{"GOMODCACHE=" + modules, "GOFLAGS=-modcacherw", "GOPROXY=file://" + cache + "/cache/download"},
		"go", "mod", "download")
	command(testenv.Root(), nil, "cp", "dist/glibc.tar", file)
	command(goroot, nil, "tar", "-rf", file, "--exclude=./test", "--exclude=./doc", "--transform=s,^[.],usr/local/go,S", ".")
	command(modules+"/cache/download", nil, "tar", "-rf", file, "--transform=s,^[.],modules,S", ".")
	d.run(t, nil, "import",
		"--change", "ENV PATH=/usr/local/go/bin:/usr/bin:/bin GOPROXY=file:///modules GOTOOLCHAIN=local", file, tag)
}

const caCertificates = "etc/ssl/certs/ca-certificates.crt"

// glibcImage makes an image of Debian that also trusts the server's CA certificate.
func (d docker) glibcImage(t *testing.T, tag string) {
	t.Helper()
	tree := filepath.Join(testenv.Root(), "dist/glibc.tar")
	own, err := exec.CommandContext(t.Context(), "tar", "-xOf", tree, "./"+caCertificates).Output()
	if err != nil {
		t.Fatalf("no CA certificates in Debian's tree, which e2e/install makes: %v", err)
	}
	d.run(t, nil, "import", "--change", "ENV PATH=/usr/local/bin:/usr/bin:/bin", tree, "debian:local")
	d.build(t, tag, map[string]string{
		"Dockerfile": "FROM debian:local\nCOPY ca.crt /" + caCertificates + "\n",
		"ca.crt":     string(own) + string(d.AWS.CAPEM()),
	})
}

// build builds an image from files.
func (d docker) build(t *testing.T, tag string, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), []byte(text))
	}
	d.run(t, nil, "build", "--tag", tag, dir)
}

// muslImage imports an image with musl's loader and a static shell.
func (d docker) muslImage(t *testing.T, tag string) {
	t.Helper()
	loader := "lib/ld-musl-" + map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH] + ".so.1"
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for path, text := range map[string][]byte{
		loader:         testenv.ReadFile(t, "/"+loader),
		"bin/busybox":  testenv.ReadFile(t, need(t, "busybox")),
		caCertificates: d.AWS.CAPEM(),
		"etc/passwd":   []byte("root:x:0:0::/root:/bin/sh\n"),
	} {
		addFile(t, w, path, text)
	}
	testenv.Must(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/sh", Linkname: "busybox", Mode: 0o777}))
	testenv.Must(t, w.Close())
	d.run(t, &buf, "import", "--change", "ENV PATH=/usr/local/bin:/bin", "-", tag)
}

func addFile(t *testing.T, w *tar.Writer, path string, text []byte) {
	t.Helper()
	testenv.Must(t, w.WriteHeader(&tar.Header{Name: path, Mode: 0o755, Size: int64(len(text))}))
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
}

// write writes a file that all users may read.
func write(t *testing.T, file string, text []byte) {
	t.Helper()
	testenv.Must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	testenv.Must(t, os.WriteFile(file, text, 0o644))
}

// container returns the arguments that run a container which reaches the server.
func (d docker) container(options ...string) []string {
	return append([]string{
		"run", "--rm", "--interactive", "--network", "host",
		"--env", "HTTPS_PROXY=" + d.AWS.ProxyURL(),
		"--env", "AWS_EC2_METADATA_SERVICE_ENDPOINT=" + d.AWS.MetadataURL(),
	}, options...)
}

// wantPull checks that the credentials which a get has printed pull the image.
func (d docker) wantPull(t *testing.T, stdout string) {
	t.Helper()
	var got struct{ Username, Secret string }
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("get printed %.40q: %v", stdout, err)
	}
	ref, err := name.ParseReference(imageRef)
	testenv.Must(t, err)
	img, err := remote.Image(ref, remote.WithTransport(throughProxy(t, d.Env)),
		remote.WithAuth(&authn.Basic{Username: got.Username, Password: got.Secret}))
	if err == nil {
		err = validate.Image(img)
	}
	if err != nil {
		t.Errorf("what get printed doesn't pull the image: %v", err)
	}
}

// throughProxy returns a transport that reaches the server's hosts and trusts its CA certificate
// alone.
func throughProxy(t *testing.T, env *testenv.Env) *http.Transport {
	t.Helper()
	proxy, err := url.Parse(env.AWS.ProxyURL())
	testenv.Must(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(env.AWS.CAPEM())
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// wantGet runs a get in a container and pulls an image with the result.
func (d docker) wantGet(t *testing.T, options ...string) {
	t.Helper()
	d.AWS.ResetCounts()
	out := d.run(t, strings.NewReader(pullHost), d.container(append(options, "get")...)...)
	wantRequests(t, d.Env, "a get in a container", coldGet)
	d.wantPull(t, out)
}

// onImages returns an engine, a registry with one image, and a volume option with the runner's
// credentials.
func onImages(t *testing.T) (d docker, credentials string) {
	t.Helper()
	path, _ := built(t, "docker")
	env := onRunner(t)
	putImage(t, serveRegistry(t, env), tinyImage(t), imageRef)
	d = docker{env, path}
	d.prepare(t, env)
	return d, filepath.Join(env.Home, ".aws") + ":/root/.aws:ro"
}

// target builds a target of the Dockerfile.
func (d docker) target(t *testing.T, name, tag string, args ...string) {
	t.Helper()
	out, err := d.try(t, nil, append(append([]string{
		"build", "--network", "none", "--build-arg", "GO_IMAGE=go:local", "--target", name, "--tag", tag,
	}, args...), testenv.Root())...)
	if err != nil {
		t.Fatalf("target %s: %v\n%s%s", name, err, out.stdout, out.stderr)
	}
}

func TestImages(t *testing.T) {
	d, credentials := onImages(t)
	d.goImage(t, "go:local")
	d.glibcImage(t, "glibc:local")
	d.muslImage(t, "musl:local")
	write(t, filepath.Join(d.Home, "mounted.pem"), d.AWS.CAPEM())
	ca := filepath.Join(d.Home, "mounted.pem") + ":/ca.pem:ro"

	for _, builder := range []struct {
		name, variable string
		arm64          []string
	}{
		{"classic", "DOCKER_BUILDKIT=0", []string{"--build-arg", "TARGETARCH=arm64"}},
		{"BuildKit", "DOCKER_BUILDKIT=1", []string{"--platform", "linux/arm64"}},
	} {
		t.Run(builder.name, func(t *testing.T) {
			d.Set(builder.variable)
			d.target(t, "binary", "binary:test")
			d.target(t, "gitlab-runner", "glibc:test", "--build-arg", "GITLAB_RUNNER_IMAGE=glibc:local")
			d.target(t, "gitlab-runner", "musl:test", "--build-arg", "GITLAB_RUNNER_IMAGE=musl:local")

			// The CA certificates are those of the base image.
			d.wantGet(t, "--volume", credentials, "glibc:test", testenv.Name)
			d.wantGet(t, "--volume", credentials, "musl:test", testenv.Name)
			for _, image := range []string{"glibc:test", "musl:test"} {
				out := d.run(t, nil, "run", "--rm", "--network", "none", image, "sh", "-c", testenv.Name+" version && command -v "+testenv.Name)
				if !strings.HasPrefix(out, testenv.Name+" ") || !strings.HasSuffix(out, "/usr/local/bin/"+testenv.Name) {
					t.Errorf("in %s it prints %q", image, out)
				}
			}
			// This image has no home, no /etc/passwd, no /tmp and no CA certificates.
			d.wantGet(t, "--volume", ca, "--env", "AWS_CA_BUNDLE=/ca.pem", "--env", "HOME=",
				"--env", "AWS_ECR_ROLE_ARN="+pullRole, "binary:test")
			if layers, user := d.inspect(t, "binary:test", "{{len .RootFS.Layers}}"), d.inspect(t, "binary:test", "{{.Config.User}}"); layers != "1" || user != "65534:65534" {
				t.Errorf("the file alone has %s layers and runs as %q", layers, user)
			}

			record(t, "Docker Engine", d.engineVersion(t), builder.name+" build of the Dockerfile, run in glibc, musl and scratch")

			if builder.name == "BuildKit" { // the classic builder has no --output
				dir := t.TempDir()
				d.target(t, "binary", "file:test", "--output", dir)
				entries, err := os.ReadDir(dir)
				if err != nil || len(entries) != 1 || entries[0].Name() != testenv.Name {
					t.Errorf("--output gives %v, %v; want the file alone", entries, err)
				}
				if out, err := exec.CommandContext(t.Context(), filepath.Join(dir, testenv.Name), "version").Output(); err != nil || !strings.HasPrefix(string(out), testenv.Name+" ") {
					t.Errorf("the file prints %q, %v", out, err)
				}
			}

			d.target(t, "binary", "arm64:test", builder.arm64...)
			arm64 := filepath.Join(t.TempDir(), testenv.Name)
			d.run(t, nil, "cp", d.run(t, nil, "create", "arm64:test")+":/"+testenv.Name, arm64)
			wantArm64(t, arm64)
		})
	}
	t.Run("compose", func(t *testing.T) { testCompose(t, d) })
	t.Run("Kaniko", func(t *testing.T) { testKaniko(t, d, credentials) })
}

func (d docker) inspect(t *testing.T, image, format string) string {
	t.Helper()
	return d.run(t, nil, "image", "inspect", "--format", format, image)
}

func (d docker) engineVersion(t *testing.T) string {
	t.Helper()
	version, _, _ := strings.Cut(d.run(t, nil, "version", "--format", "{{.Server.Version}}"), "+")
	return version
}
