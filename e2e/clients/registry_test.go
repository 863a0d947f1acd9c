package clients

import (
	"archive/tar"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/sirupsen/logrus"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// serveRegistry serves an empty registry at pullHost, with ECR's access control. It is CNCF's
// distribution, with images in memory. The handler it returns has no access control.
func serveRegistry(t *testing.T, env *testenv.Env) http.Handler {
	t.Helper()
	logrus.SetOutput(io.Discard) // the registry's log
	images := handlers.NewApp(t.Context(), &configuration.Configuration{Storage: configuration.Storage{
		"inmemory":    nil,
		"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
	}})
	env.AWS.Handle(pullHost, env.AWS.RegistryAuth(pullHost, images))
	return images
}

// putImage puts an image into a registry, by a handler without access control.
func putImage(t *testing.T, images http.Handler, img v1.Image, refs ...string) {
	t.Helper()
	server := httptest.NewServer(images)
	defer server.Close()
	for _, ref := range refs {
		_, path, _ := strings.Cut(ref, "/")
		dst, err := name.ParseReference(strings.TrimPrefix(server.URL, "http://") + "/" + path)
		testenv.Must(t, err)
		testenv.Must(t, remote.Write(dst, img, remote.WithContext(t.Context())))
	}
}

// tinyRoot returns a root file system of one file, as a tar file.
func tinyRoot(t *testing.T) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	text := "an image of one file\n"
	testenv.Must(t, w.WriteHeader(&tar.Header{Name: "file", Mode: 0o644, Size: int64(len(text))}))
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	testenv.Must(t, w.Close())
	return buf.Bytes()
}

// tinyImage returns an image of tinyRoot.
func tinyImage(t *testing.T) v1.Image {
	t.Helper()
	root := tinyRoot(t)
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(root)), nil })
	testenv.Must(t, err)
	img, err := mutate.AppendLayers(empty.Image, layer)
	testenv.Must(t, err)
	config, err := img.ConfigFile()
	testenv.Must(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	return img
}

// imageID returns the ID of an image: the digest of its configuration, in hex.
func imageID(t *testing.T, img v1.Image) string {
	t.Helper()
	id, err := img.ConfigName()
	testenv.Must(t, err)
	return id.Hex
}

// saveImage writes an image to a file of the home, in the format of docker save.
func saveImage(t *testing.T, env *testenv.Env, file, ref string, img v1.Image) {
	t.Helper()
	tag, err := name.NewTag(ref)
	testenv.Must(t, err)
	testenv.Must(t, tarball.WriteToFile(filepath.Join(env.Home, file), tag, img))
}
