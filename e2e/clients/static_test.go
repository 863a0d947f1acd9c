package clients

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

// goBuild builds the helper with given environment variables and arguments of go build.
func goBuild(t *testing.T, env, args []string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), testenv.Name)
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", path}, args...), "./cmd/"+testenv.Name)...)
	cmd.Dir, cmd.Env = testenv.Root(), append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

func TestStatic(t *testing.T) {
	bin := testenv.Binary(t)
	out, err := exec.CommandContext(t.Context(), need(t, "file"), "--brief", bin).Output()
	if err != nil || !strings.Contains(string(out), "statically linked") {
		t.Errorf("file prints %q, %v", out, err)
	}
	// ldd fails if there is nothing to list.
	out, err = exec.CommandContext(t.Context(), need(t, "ldd"), bin).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "not a dynamic executable") {
		t.Errorf("ldd prints %q, %v", out, err)
	}
}

// wantArm64 runs a helper that was built for arm64, with an emulator.
func wantArm64(t *testing.T, bin string) {
	t.Helper()
	emulator := need(t, "qemu-aarch64-static")
	env := onRunner(t)
	for _, want := range []map[string]int{coldGet, nil} {
		out, err := run(t, env, strings.NewReader(pullHost), emulator, "qemu", bin, "get")
		var got struct{ Secret string }
		if err != nil || json.Unmarshal([]byte(out.stdout), &got) != nil || out.stderr != "" {
			t.Fatalf("get: %v, stderr %q", err, out.stderr)
		}
		if _, err := env.AWS.VerifyToken(got.Secret, pullHost); err != nil {
			t.Error(err)
		}
		wantRequests(t, env, "a get on arm64", want)
	}
}

// On a system without CA certificates, the helper trusts Mozilla's. No certificate of Mozilla signs
// for the server, so here the server's certificate replaces them. Nothing else of the helper
// changes.
func TestOwnRoots(t *testing.T) {
	d, _ := onImages(t)
	trusting := goBuild(t, []string{"CGO_ENABLED=0"}, []string{"-modfile", withRoots(t, d.AWS.CAPEM())})
	get := func(helper string, files map[string][]byte, options ...string) (output, error) {
		t.Helper()
		var buf bytes.Buffer
		w := tar.NewWriter(&buf)
		addFile(t, w, testenv.Name, testenv.ReadFile(t, helper))
		for path, text := range files {
			addFile(t, w, path, text)
		}
		testenv.Must(t, w.Close())
		d.run(t, &buf, "import", "-", "scratch:test")
		options = append(options, "--env", "AWS_ECR_ROLE_ARN="+pullRole, "scratch:test", "/"+testenv.Name, "get")
		return d.try(t, strings.NewReader(pullHost), d.container(options...)...)
	}

	out, err := get(trusting, nil)
	if err != nil || out.stderr != "" {
		t.Fatalf("with no CA certificates but its own: %v, stderr %q", err, out.stderr)
	}
	d.wantPull(t, out.stdout)
	if out, err := get(trusting, map[string][]byte{caCertificates: nil}); err != nil {
		t.Errorf("with an empty file of CA certificates: %v, stderr %q", err, out.stderr)
	}
	wantBundle(t)

	stranger, err := awstest.NewServer()
	testenv.Must(t, err)
	defer stranger.Close()
	other := stranger.CAPEM()
	for when, try := range map[string]func() (output, error){
		"Mozilla's certificates":        func() (output, error) { return get(testenv.Binary(t), nil) },
		"a system that has some":        func() (output, error) { return get(trusting, map[string][]byte{caCertificates: other}) },
		"a directory that has some":     func() (output, error) { return get(trusting, map[string][]byte{"etc/ssl/certs/a.pem": other}) },
		"a file that the user has set":  func() (output, error) { return get(trusting, nil, "--env", "SSL_CERT_FILE=/none.pem") },
		"a directory that the user set": func() (output, error) { return get(trusting, nil, "--env", "SSL_CERT_DIR=/none") },
	} {
		if out, err := try(); err == nil || !strings.Contains(out.stderr, "signed by an authority that isn't trusted here") {
			t.Errorf("%s: %v, stderr %q", when, err, out.stderr)
		}
	}
}

// wantBundle checks that the helper's binary holds Mozilla's CA certificates.
func wantBundle(t *testing.T) {
	t.Helper()
	helper, found := testenv.ReadFile(t, testenv.Binary(t)), 0
	for root := range bundle.Roots() {
		if bytes.Contains(helper, root.Certificate) {
			found++
		}
	}
	if found < 100 {
		t.Errorf("the helper holds %d CA certificates", found)
	}
}

// withRoots returns a go.mod for go build that replaces the bundle of CA certificates.
func withRoots(t *testing.T, ca []byte) (file string) {
	t.Helper()
	const module = "golang.org/x/crypto/x509roots/fallback"
	block, _ := pem.Decode(ca)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write(t, in("go.sum"), testenv.ReadFile(t, filepath.Join(testenv.Root(), "go.sum")))
	write(t, in("go.mod"), append(testenv.ReadFile(t, filepath.Join(testenv.Root(), "go.mod")), "\nreplace "+module+" => "+in("roots")+"\n"...))
	write(t, in("roots/go.mod"), []byte("module "+module+"\n\ngo 1.26\n"))
	write(t, in("roots/bundle/roots.go"), []byte(`package bundle

import (
	"crypto/x509"
	"iter"
)

type Root struct {
	Certificate []byte
	Constraint  func([]*x509.Certificate) error
}

func Roots() iter.Seq[Root] {
	return func(yield func(Root) bool) { yield(Root{Certificate: []byte(`+strconv.Quote(string(block.Bytes))+`)}) }
}
`))
	return in("go.mod")
}

// If a program was linked for another libc, sh says that it isn't found, though the file exists.
// Users see this with other helpers. This helper runs in the same shell.
func TestNotFound(t *testing.T) {
	path, _ := built(t, "docker")
	env := onRunner(t)
	d := docker{env, path}
	d.prepare(t, env)
	d.muslImage(t, "musl:local")
	for _, test := range []struct{ helper, want string }{
		{goBuild(t, []string{"CGO_ENABLED=1"}, nil), "sh: " + testenv.Name + ": not found"},
		{testenv.Binary(t), testenv.Name + " "},
	} {
		out, _ := d.try(t, nil, "run", "--rm", "--network", "none",
			"--volume", test.helper+":/usr/local/bin/"+testenv.Name, "musl:local", "sh", "-c", testenv.Name+" version")
		if all := out.stdout + out.stderr; !strings.Contains(all, test.want) {
			t.Errorf("sh prints %q, want %q in it", all, test.want)
		}
	}
}
