package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker-credential-helpers/credentials"
	"github.com/google/go-containerregistry/pkg/registry"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// fileHelper is the name of another credential helper, one that docs/docker.md mentions. It is made
// with the package that Docker's own helpers use, and stores credentials in a file of the home.
const fileHelper = "docker-credential-pass"

type fileStore struct{}

func storeFile() string { return filepath.Join(os.Getenv("HOME"), "kept.json") }

func (fileStore) read() (map[string]credentials.Credentials, error) {
	all := map[string]credentials.Credentials{}
	text, err := os.ReadFile(storeFile())
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(text, &all)
}

func (f fileStore) change(change func(map[string]credentials.Credentials)) error {
	all, err := f.read()
	if err != nil {
		return err
	}
	change(all)
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(storeFile(), text, 0o600)
}

func (f fileStore) Add(c *credentials.Credentials) error {
	return f.change(func(all map[string]credentials.Credentials) { all[c.ServerURL] = *c })
}

func (f fileStore) Delete(serverURL string) error {
	return f.change(func(all map[string]credentials.Credentials) { delete(all, serverURL) })
}

func (f fileStore) Get(serverURL string) (user, password string, err error) {
	all, err := f.read()
	if err != nil {
		return "", "", err
	}
	c, ok := all[serverURL]
	if !ok {
		return "", "", credentials.NewErrCredentialsNotFound()
	}
	return c.Username, c.Secret, nil
}

func (f fileStore) List() (map[string]string, error) {
	all, err := f.read()
	users := map[string]string{}
	for server, c := range all {
		users[server] = c.Username
	}
	return users, err
}

const otherHost = "registry.example.com"

// With a fallback, the helper as credsStore also serves another registry: the fallback stores the
// login there, and ECR needs none.
func TestDockerFallback(t *testing.T) {
	const (
		image = pullHost + "/team/app:1.0"
		other = otherHost + "/team/app:1.0"
	)
	path, version := installed(t, "docker")
	d := newDocker(t, path, withStore)
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	d.AWS.Handle(otherHost, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "my password" {
			w.Header().Set("WWW-Authenticate", `Basic realm="other"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"who is there?"}]}`, http.StatusUnauthorized)
			return
		}
		images.ServeHTTP(w, r)
	}))
	self, err := os.Executable()
	testenv.Must(t, err)
	bin := filepath.Join(d.Home, "bin")
	testenv.Must(t, errors.Join(os.Mkdir(bin, 0o700), os.Symlink(self, filepath.Join(bin, fileHelper))))
	example(t, d.Env, ".ecr/config.toml", "testdata/docker/fallback.toml")
	d.Set("PATH=" + bin + ":" + d.Get("PATH"))

	d.run(t, bytes.NewReader(tinyRoot(t)), "import", "-", image)
	d.run(t, nil, "tag", image, other)
	d.run(t, nil, "push", image)
	wantRequests(t, d.Env, "a push to ECR", coldGet)

	if stderr := d.fail(t, "push", other); !strings.Contains(stderr, "who is there?") && !strings.Contains(stderr, "no basic auth") {
		t.Errorf("a push before the login: %q", stderr)
	}
	d.run(t, strings.NewReader("my password"), "login", "--username", "me", "--password-stdin", otherHost)
	d.run(t, nil, "push", other)
	d.run(t, nil, "rmi", other)
	d.run(t, nil, "pull", other)
	config, err := os.ReadFile(filepath.Join(d.Home, ".docker/config.json"))
	if err != nil || strings.Contains(string(config), "bXk6") || !strings.Contains(string(config), "ecr-login") {
		t.Errorf("the configuration is %q, %v", config, err)
	}
	wantRequests(t, d.Env, "all of the other registry", nil)

	// A runner gets both; the list has public ECR, too.
	found, stderr := runJob(t, d.Env, map[string]any{"credsStore": "ecr-login"})
	wantCredentials(t, d.Env, found, "https://"+pullHost, pullHost)
	if auth := found[otherHost]; auth.Username != "me" || auth.Password != "my password" || stderr != "" {
		t.Errorf("the runner has user %q for the other registry, and on stderr is %q", auth.Username, stderr)
	}

	d.run(t, nil, "logout", otherHost)
	d.fail(t, "pull", other)
	d.run(t, nil, "pull", image)
	record(t, "Docker, as installed", version, "another registry beside ECR, through a fallback helper")
}
