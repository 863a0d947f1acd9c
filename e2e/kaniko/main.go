// Command kaniko is a stand-in for Kaniko's executor, which isn't available as a module. It does
// what matters to a credential helper. It finds credentials with a keychain that is composed like
// that of Kaniko's pkg/creds. It builds in the root file system in which it runs: for each stage it
// unpacks the base image, takes a snapshot, runs a command, makes a layer of what has changed, and
// pushes that to a cache. Before each stage it empties the file system, except for its own
// directory and mounts (pkg/util of Kaniko, DefaultIgnoreList and DeleteFilesystem).
//
// It knows the flags below, and the instructions FROM and COPY of one file.
package main

import (
	"archive/tar"
	"bytes"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"docker-credential-ecr-login/ecr"
)

func main() {
	log.SetFlags(0)
	var b builder
	flag.StringVar(&b.context, "context", "", "the directory from which files are copied")
	flag.StringVar(&b.dockerfile, "dockerfile", "", "the Dockerfile")
	flag.Bool("cache", true, "")
	flag.StringVar(&b.cache, "cache-repo", "", "the repository for layers")
	flag.StringVar(&b.destination, "destination", "", "where to push the image to")
	flag.Parse()
	if err := b.build(); err != nil {
		log.Fatalf("error building image: %v", err)
	}
}

// keychain runs the helpers that Docker's configuration names, then the library. Kaniko also has
// keychains of Google, Azure and GitLab, which don't know ECR.
var keychain = authn.NewMultiKeychain(
	authn.DefaultKeychain,
	authn.NewKeychainFromHelper(ecr.NewECRHelper(ecr.WithLogger(io.Discard))),
)

type builder struct{ context, dockerfile, cache, destination string }

func (b builder) build() error {
	text, err := os.ReadFile(b.dockerfile)
	if err != nil {
		return err
	}
	var img v1.Image
	var before map[string]string
	for number, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "FROM":
			if err := empty("/"); err != nil {
				return err
			}
			if img, err = unpack(words[1]); err != nil {
				return err
			}
			if before, err = snapshot(); err != nil {
				return err
			}
		case words[0] == "COPY" && len(words) == 3:
			if img, before, err = b.copy(img, before, words[1], words[2]); err != nil {
				return err
			}
			if err := push(img, fmt.Sprintf("%s:%d", b.cache, number)); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s:%d: %s isn't known here", b.dockerfile, number+1, words[0])
		}
	}
	return push(img, b.destination)
}

// copy copies a file and makes a layer of what has changed since the last snapshot.
func (b builder) copy(img v1.Image, before map[string]string, from, to string) (v1.Image, map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(b.context, from))
	if err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(to, text, 0o644); err != nil {
		return nil, nil, err
	}
	after, err := snapshot()
	if err != nil {
		return nil, nil, err
	}
	layer, err := layerOf(before, after)
	if err != nil {
		return nil, nil, err
	}
	img, err = mutate.AppendLayers(img, layer)
	if err != nil {
		return nil, nil, err
	}
	// The push needs a new token, as in a build that takes longer than a token is fresh.
	return img, after, empty(os.Getenv("HOME"))
}

func unpack(image string) (v1.Image, error) {
	ref, err := name.ParseReference(image)
	if err != nil {
		return nil, err
	}
	img, err := remote.Image(ref, remote.WithAuthFromKeychain(keychain))
	if err != nil {
		return nil, err
	}
	files := mutate.Extract(img)
	defer files.Close()
	for r := tar.NewReader(files); ; {
		header, err := r.Next()
		if err == io.EOF {
			return img, nil
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		text, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join("/", header.Name), text, 0o644); err != nil {
			return nil, err
		}
	}
}

func push(img v1.Image, image string) error {
	ref, err := name.ParseReference(image)
	if err != nil {
		return err
	}
	return remote.Write(ref, img, remote.WithAuthFromKeychain(keychain))
}

// walk visits all files that aren't ignored.
func walk(visit func(path string, entry fs.DirEntry) error) error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	ignored := []string{"/kaniko", "/proc", "/sys", "/dev", "/etc/mtab", "/var/run", "/tmp/apt-key-gpghome"}
	for line := range strings.Lines(string(mounts)) {
		if point := strings.Fields(line)[4]; point != "/" {
			ignored = append(ignored, point)
		}
	}
	return filepath.WalkDir("/", func(path string, entry fs.DirEntry, err error) error {
		if slices.Contains(ignored, path) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if err != nil {
			return err
		}
		return visit(path, entry)
	})
}

// empty removes all files below a directory.
func empty(dir string) error {
	return walk(func(path string, entry fs.DirEntry) error {
		if entry.IsDir() || !strings.HasPrefix(path, dir) {
			return nil
		}
		return os.Remove(path)
	})
}

// snapshot returns the content of every file.
func snapshot() (map[string]string, error) {
	files := map[string]string{}
	return files, walk(func(path string, entry fs.DirEntry) error {
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	})
}

// layerOf returns a layer of what has been added or changed.
func layerOf(before, after map[string]string) (v1.Layer, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for path, text := range after {
		if old, ok := before[path]; ok && old == text {
			continue
		}
		if err := w.WriteHeader(&tar.Header{Name: path[1:], Mode: 0o644, Size: int64(len(text))}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, text); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
}
