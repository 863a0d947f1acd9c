package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// A client is a program that pushes and pulls images. In its commands, $REF is an image in the
// registry at pullHost. The content of that image is in the file image.tar of the home, where the
// commands run.
type client struct {
	name          string
	path, version string // of the program, the first word of each command
	shell         string // a shell command that runs the program in its own namespace, if it needs one
	// prepare makes what the client needs besides its configuration.
	prepare func(t *testing.T, env *testenv.Env)
	// config is the file of the repository that is copied to file, in the home.
	config, file string

	before     []string // commands before the push
	push       string
	remove     string // removes the image from the client
	pull       string
	pulledTar  string            // the file to which it pulls, in the format of docker save
	pulledFile map[string]string // or the files to which it pulls, and their originals
	pulledID   string            // or the command that prints the image's ID

	// also are the requests of a cold get besides coldGet.
	also map[string]int
}

// run runs one of the client's commands.
func (c client) run(t *testing.T, env *testenv.Env, command string) (output, error) {
	t.Helper()
	words := strings.Fields(strings.NewReplacer("$REF", imageRef, "$HOST", pullHost).Replace(command))
	if c.shell == "" {
		return run(t, env, nil, c.path, words...)
	}
	words[0] = c.path
	return run(t, env, nil, "/usr/bin/unshare", append([]string{"unshare", "--mount", "sh", "-c", c.shell, "sh"}, words...)...)
}

// must runs a command that must succeed with no message of the helper on stderr.
func (c client) must(t *testing.T, env *testenv.Env, command string) (stdout string) {
	t.Helper()
	if command == "" {
		return ""
	}
	out, err := c.run(t, env, command)
	if err != nil || strings.Contains(out.stderr, testenv.Name) {
		t.Fatalf("%s: %v, stdout %q, stderr %q", command, err, out.stdout, out.stderr)
	}
	return out.stdout
}

const imageRef = pullHost + "/team/app:1.0"

// The two ways to name the helper in Docker's configuration, from docs/docker.md.
const (
	withStore   = "testdata/docker/all.json"
	withHelpers = "testdata/docker/one-registry.json"
)

// pushAndPull pushes an image and pulls it again, with an empty cache and with a token in it, and
// then with a role that can't be assumed.
func (c client) pushAndPull(t *testing.T) {
	env := onRunner(t)
	serveRegistry(t, env)
	example(t, env, c.file, c.config)
	env.Set("XDG_RUNTIME_DIR=" + filepath.Join(env.Home, "run"))
	img := tinyImage(t)
	saveImage(t, env, "image.tar", imageRef, img)
	if c.prepare != nil {
		c.prepare(t, env)
	}
	for _, command := range c.before {
		c.must(t, env, command)
	}
	wantRequests(t, env, "what comes before", nil)

	cold := map[string]int{}
	for _, some := range []map[string]int{coldGet, c.also} {
		for action, n := range some {
			cold[action] += n
		}
	}
	c.must(t, env, c.push)
	wantRequests(t, env, "a cold push", cold)
	c.must(t, env, c.remove)
	c.must(t, env, c.pull)
	wantRequests(t, env, "a warm pull", nil)
	c.wantPulled(t, env, imageID(t, img))
	forget(t, env)
	c.must(t, env, c.remove)
	c.must(t, env, c.pull)
	wantRequests(t, env, "a cold pull", coldGet) // other requests aren't repeated
	c.wantPulled(t, env, imageID(t, img))
	c.must(t, env, c.push)
	wantRequests(t, env, "a warm push", nil)

	c.must(t, env, c.remove)
	wantDenied(t, env, func() (output, error) { return c.run(t, env, c.pull) })
	record(t, c.name, c.version, "push", "pull", "a denied role")
}

// wantPulled checks that the image was pulled, and removes it.
func (c client) wantPulled(t *testing.T, env *testenv.Env, id string) {
	t.Helper()
	in := func(file string) string { return filepath.Join(env.Home, file) }
	switch {
	case c.pulledTar != "":
		img, err := tarball.ImageFromPath(in(c.pulledTar), nil)
		testenv.Must(t, err)
		if got := imageID(t, img); got != id {
			t.Errorf("pulled image %s, want %s", got, id)
		}
		os.Remove(in(c.pulledTar))
	case c.pulledFile != nil:
		for pulled, pushed := range c.pulledFile {
			got, err := os.ReadFile(in(pulled))
			want, wantErr := os.ReadFile(in(pushed))
			if err != nil || wantErr != nil || string(got) != string(want) {
				t.Errorf("pulled %d bytes, pushed %d: %v, %v", len(got), len(want), err, wantErr)
			}
			os.Remove(in(pulled))
		}
	default:
		if got := strings.TrimPrefix(strings.TrimSpace(c.must(t, env, c.pulledID)), "sha256:"); got != id {
			t.Errorf("pulled image %s, want %s", got, id)
		}
	}
}

// example copies a file of the repository to the home.
func example(t *testing.T, env *testenv.Env, file, from string) {
	t.Helper()
	env.Write(t, file, string(testenv.ReadFile(t, filepath.Join(testenv.Root(), from))))
}

// forget makes the helper erase its tokens for pullHost.
func forget(t *testing.T, env *testenv.Env) {
	t.Helper()
	if r := env.Run(t, "erase", pullHost); r.Status != 0 || r.Stdout != "" || r.Stderr != "" {
		t.Fatalf("erase: %+v", r)
	}
}

// wantDenied runs a client while no token is cached and the role can't be assumed. The client must
// fail and show the reason.
func wantDenied(t *testing.T, env *testenv.Env, run func() (output, error)) {
	t.Helper()
	forget(t, env)
	env.AWS.Deny("sts:AssumeRole", pullRole)
	defer env.AWS.Allow("sts:AssumeRole", pullRole)
	out, err := run()
	t.Logf("with the role denied:\n%s%s", out.stdout, out.stderr)
	if err == nil {
		t.Error("it succeeds without a role")
	}
	reasons := 0
	for line := range strings.Lines(out.stderr) {
		// The output of a build has a prefix before the message.
		if _, reason, ok := strings.Cut(line, testenv.Name+": "); ok {
			reasons++
			wantReason(t, testenv.Name+": "+reason, pullRole)
		}
	}
	if reasons == 0 {
		t.Errorf("no reason on stderr: %q", out.stderr)
	}
	env.AWS.ResetCounts()
}
