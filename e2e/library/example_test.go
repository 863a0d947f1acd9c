// Package library_test shows how a Go program pulls with the package ecr. It is here and not beside
// that package, as the product has no need of a registry's client.
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

	"docker-credential-ecr-login/ecr"
	"docker-credential-ecr-login/internal/awstest"
)

// Pull an image with go-containerregistry, on which crane, ko, cosign and Kaniko stand.
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

// The registry serves nobody without a token: else the example would prove nothing.
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

// TestMain makes the environment of the process: AWS is a stand-in, and behind its registry's host is
// an image.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "ecr-login-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
	server, err := awstest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	server.AddUser("arn:aws:iam::111111111111:user/ci", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	ca := filepath.Join(home, "ca.pem")
	if err := os.WriteFile(ca, server.CAPEM(), 0o600); err != nil {
		log.Fatal(err)
	}
	os.Clearenv()
	// Before any request: net/http reads the proxy once.
	for name, value := range map[string]string{
		"HOME": home, "HTTPS_PROXY": server.ProxyURL(), "SSL_CERT_FILE": ca, "AWS_REGION": "eu-west-1",
		"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	} {
		os.Setenv(name, value)
	}
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server.Handle(host, server.RegistryAuth(host, images))

	back := httptest.NewServer(images)
	defer back.Close()
	ref, err := name.ParseReference(strings.TrimPrefix(back.URL, "http://") + "/team/app:1.0")
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
