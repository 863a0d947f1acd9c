package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/credentials"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// resolved holds the credentials that a runner has found, by the key that the helper listed.
type resolved map[string]struct {
	User   string
	Length int // of the password
}

// pulled is the image that was pulled, or the registry's refusal.
type pulled struct {
	Digest  string
	Layers  int
	Bytes   int64
	Status  int
	Refusal string
}

// client runs a client of the helper, in its own process. It prints the result as JSON.
func client(ctx context.Context, args []string) (err error) {
	var report any
	switch args[0] {
	case "runner":
		report, err = runner()
	case "pull":
		report, err = pull(ctx, args[1])
	default:
		err = fmt.Errorf("unknown client %q; the demo takes no argument", args[0])
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

// runner finds credentials as GitLab Runner does, with the same package: by the credsStore of the
// configuration, for all keys or for none.
func runner() (resolved, error) {
	file, err := os.Open(filepath.Join(os.Getenv("HOME"), ".docker/config.json"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	config := configfile.New(file.Name())
	if err := config.LoadFromReader(file); err != nil {
		return nil, err
	}
	all, err := credentials.NewNativeStore(config, config.CredentialsStore).GetAll()
	if err != nil {
		return nil, err
	}
	found := resolved{}
	for key, auth := range all {
		c := found[key]
		c.User, c.Length = auth.Username, len(auth.Password)
		found[key] = c
	}
	return found, nil
}

// pull pulls an image, checks all its digests and discards it.
func pull(ctx context.Context, image string) (pulled, error) {
	ref, err := name.ParseReference(image)
	if err != nil {
		return pulled{}, err
	}
	img, err := remote.Image(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
	var refusal *transport.Error
	if errors.As(err, &refusal) && len(refusal.Errors) > 0 {
		return pulled{Status: refusal.StatusCode, Refusal: refusal.Errors[0].String()}, nil
	}
	if err != nil {
		return pulled{}, err
	}
	if err := validate.Image(img); err != nil {
		return pulled{}, err
	}
	digest, err := img.Digest()
	if err != nil {
		return pulled{}, err
	}
	layers, err := img.Layers()
	if err != nil {
		return pulled{}, err
	}
	p := pulled{Digest: digest.String(), Layers: len(layers)}
	for _, layer := range layers {
		size, err := layer.Size()
		if err != nil {
			return pulled{}, err
		}
		p.Bytes += size
	}
	return p, nil
}
