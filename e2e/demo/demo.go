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
	aws  *awstest.Server

	dir       string // holds all that is below
	bin       string // the directory of the helper, and all there is on the PATH
	ca        string
	home      string // the runner's
	emptyHome string

	digests  map[string]string // of the images in the registries
	expected []string          // hosts the runner must have credentials for
}

// clear takes the stage down, whatever of it is up.
func (s *demo) cleanUp() {
	if s.aws != nil {
		s.aws.Close()
	}
	os.RemoveAll(s.dir)
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

func (s *demo) startAWS(ctx context.Context) error {
	cloud, err := awstest.NewServer()
	if err != nil {
		return err
	}
	s.aws = cloud
	cloud.AddRole(awstest.Role{ARN: runnerRole})
	cloud.AddRole(awstest.Role{ARN: pullRole, Trusts: []string{runnerRole}})
	cloud.SetInstanceRole(runnerRole)
	cloud.SetInstanceRegion("ap-south-1")
	s.ca = filepath.Join(s.dir, "ca.pem")
	if err := os.WriteFile(s.ca, cloud.CAPEM(), 0o600); err != nil {
		return err
	}

	s.digests = map[string]string{}
	s.out.print("runner", "%s, from the instance's metadata", runnerRole)
	s.out.print("trusts it", "%s", pullRole)
	if err := s.serve(ctx, host, image); err != nil {
		return err
	}
	s.expected = []string{host}
	s.out.print("image", "%s", image)
	s.out.print("digest", "%.19s…", s.digests[image])
	cloud.AddRole(awstest.Role{ARN: partnerRole, Trusts: []string{runnerRole}})
	return s.serve(ctx, partnerHost, partnerImage)
}

// serve puts a registry with one image behind the gate of a host.
func (s *demo) serve(ctx context.Context, host, image string) error {
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s.aws.Handle(host, s.aws.RegistryAuth(host, images))

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
	s.digests[image] = digest.String()
	return nil
}

func (s *demo) writeHome(context.Context) error {
	return errors.Join(
		s.write(".aws/credentials", "testdata/gitlab-runner/credentials"),
		s.write(".docker/config.json", "testdata/docker/all.json"),
	)
}

// write puts a file of the repository into the runner's home, and shows it.
func (s *demo) write(path, from string) error {
	text, err := os.ReadFile(filepath.Join(testenv.Root(), from))
	if err != nil {
		return err
	}
	s.out.print("~/"+path, "%s", text)
	path = filepath.Join(s.home, path)
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, text, 0o600))
}
