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

// A demo holds what the steps use: the helper, the stand-in for AWS and two homes.
type demo struct {
	out printer
	aws *awstest.Server

	dir       string // holds all of these directories
	bin       string // the directory of the helper, the only one in PATH
	ca        string
	home      string // the runner's
	emptyHome string

	digests  map[string]string // of the images in the registries
	expected []string          // hosts for which the runner must have credentials
}

// cleanUp stops the server and removes all files.
func (d *demo) cleanUp() {
	if d.aws != nil {
		d.aws.Close()
	}
	os.RemoveAll(d.dir)
}

func (d *demo) build(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "ecr-login-demo-")
	if err != nil {
		return err
	}
	d.dir = dir
	for _, sub := range []struct {
		path *string
		name string
	}{{&d.bin, "bin"}, {&d.home, "home"}, {&d.emptyHome, "nobody"}} {
		*sub.path = filepath.Join(dir, sub.name)
		if err := os.Mkdir(*sub.path, 0o700); err != nil {
			return err
		}
	}
	bin := filepath.Join(d.bin, program)
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
	d.out.print("version", "%s", strings.TrimSpace(string(version)))
	d.out.print("size", "%.1f MB", float64(info.Size())/1e6)
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

// serve serves a registry with one image at a host, with ECR's access control.
func (d *demo) serve(ctx context.Context, host, image string) error {
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	d.aws.Handle(host, d.aws.RegistryAuth(host, images))

	// The image is pushed to a server without access control, so that the demo's pull is the first
	// request with it.
	server := httptest.NewServer(images)
	defer server.Close()
	const layers = 2
	img, err := random.Image(1<<10, layers)
	if err != nil {
		return err
	}
	dst, err := name.ParseReference(strings.Replace(image, host, strings.TrimPrefix(server.URL, "http://"), 1))
	if err != nil {
		return err
	}
	if err := remote.Write(dst, img, remote.WithContext(ctx)); err != nil {
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
		d.write(".aws/credentials", testenv.RunnerCredentials),
		d.write(".docker/config.json", "testdata/docker/all.json"),
	)
}

// write copies a file of the repository to the runner's home, and prints it.
func (d *demo) write(path, from string) error {
	text, err := os.ReadFile(filepath.Join(testenv.Root(), from))
	if err != nil {
		return err
	}
	d.out.print("~/"+path, "%s", text)
	return testenv.WriteFile(filepath.Join(d.home, path), string(text))
}
