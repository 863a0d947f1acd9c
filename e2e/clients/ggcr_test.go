package clients

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"docker-credential-ecr-login/ecr"
)

// Crane, ko, cosign and Kaniko use package go-containerregistry to find credentials and to call
// registries.

const ggcrImage = pullHost + "/team/app:1.0"

// transferred is the result of a push and a pull, or the status with which the registry refused.
type transferred struct {
	Pushed, Pulled string // digests
	Refused        int
}

// ggcr does what crane and similar clients do: Docker's configuration names the helper.
func ggcr(ctx context.Context, _ []string) (any, error) {
	return transfer(ctx, authn.DefaultKeychain)
}

// ggcrLibrary does what Kaniko and other clients do that use the helper as a library.
func ggcrLibrary(ctx context.Context, _ []string) (any, error) {
	return transfer(ctx, authn.NewKeychainFromHelper(ecr.NewECRHelper(ecr.WithLogger(io.Discard))))
}

// transfer pushes an image, pulls it again and checks all digests.
func transfer(ctx context.Context, keychain authn.Keychain) (transferred, error) {
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(keychain)}
	ref, err := name.ParseReference(ggcrImage)
	if err != nil {
		return transferred{}, err
	}
	img, err := random.Image(1<<10, 2)
	if err != nil {
		return transferred{}, err
	}
	pushed, err := img.Digest()
	if err != nil {
		return transferred{}, err
	}
	err = remote.Write(ref, img, options...)
	if refusal := (*transport.Error)(nil); errors.As(err, &refusal) {
		return transferred{Refused: refusal.StatusCode}, nil
	}
	if err != nil {
		return transferred{}, err
	}
	img, err = remote.Image(ref, options...)
	if err != nil {
		return transferred{}, err
	}
	if err := validate.Image(img); err != nil {
		return transferred{}, err
	}
	pulled, err := img.Digest()
	if err != nil {
		return transferred{}, err
	}
	return transferred{Pushed: pushed.String(), Pulled: pulled.String()}, nil
}

func TestGgcr(t *testing.T) {
	for _, test := range []struct{ name, program, config string }{
		// The keychain gets HOST/team/app first, then HOST.
		{"credsStore", "ggcr", `{"credsStore":"ecr-login"}`},
		{"credHelpers", "ggcr", `{"credHelpers":{"` + pullHost + `":"ecr-login"}}`},
		{"library", "ggcr-library", `{}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			env := onRunner(t)
			serveRegistry(t, env)
			env.Write(t, ".docker/config.json", test.config)
			for _, run := range []struct {
				when string
				want map[string]int
			}{{"cold", coldGet}, {"warm", nil}} {
				var got transferred
				stderr := runProgram(t, env, &got, test.program)
				if got.Pushed == "" || got.Pushed != got.Pulled || stderr != "" {
					t.Errorf("%s: pushed %q, pulled %q, refused with status %d, stderr %q",
						run.when, got.Pushed, got.Pulled, got.Refused, stderr)
				}
				wantRequests(t, env, run.when, run.want)
			}
			record(t, ggcrRows[test.program], moduleVersion(t, ggcrModule), "push", "pull")
		})
	}
}

const ggcrModule = "github.com/google/go-containerregistry"

// ggcrRows holds the names of the programs in the matrix.
var ggcrRows = map[string]string{
	"ggcr":         "go-containerregistry, DefaultKeychain",
	"ggcr-library": "go-containerregistry, NewKeychainFromHelper with our library",
}

// For the keychain, "not found" and any error of a library mean that there are no credentials. Then
// the registry refuses, and the helper's message has the reason.
func TestGgcrBrokenRole(t *testing.T) {
	for _, program := range []string{"ggcr", "ggcr-library"} {
		t.Run(program, func(t *testing.T) {
			env := onRunner(t)
			serveRegistry(t, env)
			env.Write(t, ".docker/config.json", `{"credHelpers":{"`+pullHost+`":"ecr-login"}}`)
			env.AWS.Deny("sts:AssumeRole", pullRole)
			var got transferred
			stderr := runProgram(t, env, &got, program)
			if got.Refused != http.StatusUnauthorized {
				t.Errorf("refused with status %d, want 401; %+v", got.Refused, got)
			}
			if program == "ggcr-library" {
				if stderr != "" {
					t.Errorf("a library writes nothing, and wrote %q", stderr)
				}
				return
			}
			wantReason(t, stderr, pullRole)
			record(t, ggcrRows[program], moduleVersion(t, ggcrModule), "a denied role")
		})
	}
}

// The library and the program share one cache.
func TestGgcrLibrarySharesTokens(t *testing.T) {
	env := onRunner(t)
	serveRegistry(t, env)
	env.Password(t, pullHost)
	wantRequests(t, env, "the program", coldGet)
	var got transferred
	runProgram(t, env, &got, "ggcr-library")
	wantRequests(t, env, "the library", nil)
	if got.Pushed == "" || got.Pushed != got.Pulled {
		t.Errorf("pushed %q, pulled %q, refused with status %d", got.Pushed, got.Pulled, got.Refused)
	}
}
