package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"docker-credential-ecr-login/e2e/internal/testenv"
	"docker-credential-ecr-login/internal/awstest"
)

const program = testenv.Name

// A stage is where the demo plays: the helper, the cloud and two homes.
type demo struct {
	out printer
	aws *awstest.Server

	dir       string // holds all that is below
	bin       string // the directory of the helper, and all there is on the PATH
	ca        string
	home      string // the runner's
	emptyHome string

	digests  map[string]string // of the images in the registries
	expected []string          // hosts the runner must have credentials for
}

// clear takes the stage down, whatever of it is up.
func (d *demo) cleanUp() {
	if d.aws != nil {
		d.aws.Close()
	}
	os.RemoveAll(d.dir)
}

func (s *demo) build(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "ecr-login-demo-")
	if err != nil {
		return err
	}
	s.dir = dir
	for _, d := range []struct {
		path *string
		name string
	}{{&s.bin, "bin"}, {&s.home, "home"}, {&s.emptyHome, "nobody"}} {
		*d.path = filepath.Join(dir, d.name)
		if err := os.Mkdir(*d.path, 0o700); err != nil {
			return err
		}
	}
	bin := filepath.Join(s.bin, program)
	if err := testenv.BuildHelperVerbose(ctx, bin, os.Stdout); err != nil {
		return err
	}
	info, err := os.Stat(bin)
	if err != nil {
		return err
	}
	version, err := exec.CommandContext(ctx, bin, "version").Output()
	if err != nil {
		return fmt.Errorf("%s version: %w", bin, err)
	}
	s.out.print("version", "%s", strings.TrimSpace(string(version)))
	s.out.print("size", "%.1f MB", float64(info.Size())/1e6)
	return nil
}

func (d *demo) startAWS(ctx context.Context) error {
	server, err := awstest.NewServer()
	if err != nil {
		return err
	}
	d.aws = server
	server.AddRole(awstest.Role{ARN: runnerRole})
	server.AddRole(awstest.Role{ARN: pullRole, Trusts: []string{runnerRole}})
	server.SetInstanceRole(runnerRole)
	server.SetInstanceRegion("ap-south-1")
	d.ca = filepath.Join(d.dir, "ca.pem")
	if err := os.WriteFile(d.ca, server.CAPEM(), 0o600); err != nil {
		return err
	}

	d.digests = map[string]string{}
	d.out.print("runner", "%s, from the instance's metadata", runnerRole)
	d.out.print("trusts it", "%s", pullRole)
	if err := d.serve(ctx, host, image); err != nil {
		return err
	}
	d.expected = []string{host}
	d.out.print("image", "%s", image)
	d.out.print("digest", "%.19s…", d.digests[image])
	server.AddRole(awstest.Role{ARN: partnerRole, Trusts: []string{runnerRole}})
	return d.serve(ctx, partnerHost, partnerImage)
}

// serve puts a registry with one image behind the gate of a host.
func (d *demo) serve(ctx context.Context, host, image string) error {
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	d.aws.Handle(host, d.aws.RegistryAuth(host, images))

	// The image gets in by the back door, so that the pull is the first to go
	// through the gate.
	door := httptest.NewServer(images)
	defer door.Close()
	const layers = 2
	img, err := random.Image(1<<10, layers)
	if err != nil {
		return err
	}
	inside, err := name.ParseReference(strings.Replace(image, host, strings.TrimPrefix(door.URL, "http://"), 1))
	if err != nil {
		return err
	}
	if err := remote.Write(inside, img, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("an image for the registry: %w", err)
	}
	digest, err := img.Digest()
	if err != nil {
		return err
	}
	d.digests[image] = digest.String()
	return nil
}

func (d *demo) writeHome(context.Context) error {
	return errors.Join(
		d.write(".aws/credentials", "testdata/gitlab-runner/credentials"),
		d.write(".docker/config.json", "testdata/docker/all.json"),
	)
}

// write puts a file of the repository into the runner's home, and shows it.
func (d *demo) write(path, from string) error {
	text, err := os.ReadFile(filepath.Join(testenv.Root(), from))
	if err != nil {
		return err
	}
	d.out.print("~/"+path, "%s", text)
	path = filepath.Join(d.home, path)
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, text, 0o600))
}
