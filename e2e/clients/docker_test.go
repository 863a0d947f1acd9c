package clients

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"

	"docker-credential-ecr-login/e2e/lab"
)

// docker is the docker command line at an engine of its own.
type docker struct {
	*lab.Lab
	path string
}

func newDocker(t *testing.T, config string) docker {
	t.Helper()
	path := need(t, "docker")
	l := onRunner(t)
	serveRegistry(l)
	l.Write(t, ".docker/config.json", config)
	l.Set("DOCKER_HOST=" + startEngine(t, l))
	return docker{l, path}
}

// run runs docker, which must succeed with nothing from the helper on stderr.
func (d docker) run(t *testing.T, stdin io.Reader, args ...string) (stdout string) {
	t.Helper()
	out, err := run(t, d.Lab, stdin, d.path, append([]string{"docker"}, args...)...)
	if err != nil || strings.Contains(out.stderr, lab.Name) {
		t.Fatalf("docker %s: %v, stdout %q, stderr %q", strings.Join(args, " "), err, out.stdout, out.stderr)
	}
	return strings.TrimSpace(out.stdout)
}

// fail runs docker, which must not succeed.
func (d docker) fail(t *testing.T, args ...string) (stderr string) {
	t.Helper()
	out, err := run(t, d.Lab, nil, d.path, append([]string{"docker"}, args...)...)
	if err == nil {
		t.Fatalf("docker %s succeeded with %q", strings.Join(args, " "), out.stdout)
	}
	return out.stderr
}

// tinyRoot is the smallest of root file systems.
func tinyRoot(t *testing.T) io.Reader {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	text := "an image of one file\n"
	if err := w.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &buf
}

func TestDocker(t *testing.T) {
	const image = pullHost + "/team/app:1.0"
	for _, test := range []struct{ name, config string }{
		{"credsStore", `{"credsStore":"ecr-login"}`},
		{"credHelpers", `{"credHelpers":{"` + pullHost + `":"ecr-login"}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDocker(t, test.config)

			id := d.run(t, tinyRoot(t), "import", "-", image)
			d.run(t, nil, "push", image)
			wantRequests(t, d.Lab, "a cold push", coldGet)
			d.run(t, nil, "rmi", image)
			d.run(t, nil, "pull", image)
			if got := d.run(t, nil, "image", "inspect", "--format", "{{.Id}}", image); got != id {
				t.Errorf("pulled image %s, want %s", got, id)
			}
			wantRequests(t, d.Lab, "a warm pull", nil)

			// A login is with the credentials that are there, and is stored.
			d.run(t, nil, "login", pullHost)
			wantRequests(t, d.Lab, "a login", nil)

			// A logout forgets them.
			d.run(t, nil, "logout", pullHost)
			d.run(t, nil, "pull", image)
			wantRequests(t, d.Lab, "a pull after a logout", coldGet)

			d.run(t, nil, "logout", pullHost)
			d.Cloud.Deny("sts:AssumeRole", pullRole)
			stderr := d.fail(t, "pull", image)
			helper, rest, _ := strings.Cut(stderr, "\n")
			wantReason(t, helper+"\n", pullRole)
			if !strings.Contains(rest, "no basic auth credentials") {
				t.Errorf("the engine says %q", rest)
			}
		})
	}
}
