// Package library_test shows how a Go program pulls an image with package ecr. It isn't beside that
// package, because the helper's module has no client of registries.
package library_test

import (
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/ecr"
	"docker-credential-ecr-login/internal/awstest"
)

// Pull an image with go-containerregistry, which crane, ko, cosign and Kaniko use.
func Example_pull() {
	keychain := authn.NewKeychainFromHelper(ecr.NewECRHelper(ecr.WithLogger(io.Discard)))
	ref, err := name.ParseReference("111111111111.dkr.ecr.eu-west-1.amazonaws.com/team/app:1.0")
	if err != nil {
		log.Fatal(err)
	}
	image, err := remote.Image(ref, remote.WithAuthFromKeychain(keychain))
	if err != nil {
		log.Fatal(err)
	}
	layers, err := image.Layers()
	fmt.Println(len(layers), err)
	// Output: 2 <nil>
}

// The registry refuses requests without a token. Otherwise the example would prove nothing.
func TestRegistryWantsToken(t *testing.T) {
	ref, err := name.ParseReference(host + "/team/app:1.0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Image(ref); err == nil || !strings.Contains(err.Error(), "UNAUTHORIZED") {
		t.Errorf("without a token: %v, want UNAUTHORIZED", err)
	}
}

const host = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"

// TestMain sets the environment of the process. AWS is a stand-in, and its registry at host has an
// image.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "ecr-login-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
	server, err := awstest.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	server.AddUser(testenv.UserARN, testenv.KeyID, testenv.Secret)
	ca := filepath.Join(home, "ca.pem")
	if err := os.WriteFile(ca, server.CAPEM(), 0o600); err != nil {
		log.Fatal(err)
	}
	os.Clearenv()
	// net/http reads the proxy at the first request.
	for name, value := range map[string]string{
		"HOME": home, "HTTPS_PROXY": server.ProxyURL(), "SSL_CERT_FILE": ca, "AWS_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": testenv.KeyID, "AWS_SECRET_ACCESS_KEY": testenv.Secret,
	} {
		os.Setenv(name, value)
	}
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server.Handle(host, server.RegistryAuth(host, images))

	backend := httptest.NewServer(images)
	defer backend.Close()
	ref, err := name.ParseReference(strings.TrimPrefix(backend.URL, "http://") + "/team/app:1.0")
	if err != nil {
		log.Fatal(err)
	}
	image, err := random.Image(1<<10, 2)
	if err != nil {
		log.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		log.Fatal(err)
	}
	m.Run()
}
