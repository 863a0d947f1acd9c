// Command kaniko stands in for Kaniko's executor, which can't be had as a module, in
// what a credential helper meets there. It finds credentials with a keychain that is
// composed as pkg/creds of Kaniko does it, and builds in two stages in the root file
// system it runs in: unpack the base image, take a snapshot, run a command (here: write a
// file), take what has changed since for a layer, push that to a cache. Before each stage
// it empties the file system. What lies below its own folder or is mounted it
// leaves alone (pkg/util of Kaniko, DefaultIgnoreList and DeleteFilesystem).
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
	base := flag.String("base", "", "the image to start from")
	cache := flag.String("cache-repo", "", "the repository for layers")
	destination := flag.String("destination", "", "where to push the image to")
	flag.Parse()
	if err := build(*base, *cache, *destination); err != nil {
		log.Fatalf("error building image: %v", err)
	}
}

// keychain asks the helpers that docker's configuration names, then the library.
// Kaniko has Google's, Azure's and GitLab's besides, which know nothing of ECR.
var keychain = authn.NewMultiKeychain(
	authn.DefaultKeychain,
	authn.NewKeychainFromHelper(ecr.NewECRHelper(ecr.WithLogger(io.Discard))),
)

func build(base, cache, destination string) error {
	var img v1.Image
	for stage := range 2 {
		if err := empty("/"); err != nil {
			return err
		}
		var err error
		if img, err = unpack(base); err != nil {
			return err
		}
		before, err := snapshot()
		if err != nil {
			return err
		}
		for command := range 2 {
			file := fmt.Sprintf("/stage-%d-command-%d", stage, command)
			if err := os.WriteFile(file, []byte(file), 0o644); err != nil {
				return err
			}
			// A command that leaves a clean home behind. Whatever is cached there has to be
			// fetched anew for the push, which comes before the next snapshot.
			if command == 0 {
				if err := empty(os.Getenv("HOME")); err != nil {
					return err
				}
			}
			after, err := snapshot()
			if err != nil {
				return err
			}
			layer, err := layerOf(before, after)
			if err != nil {
				return err
			}
			if img, err = mutate.AppendLayers(img, layer); err != nil {
				return err
			}
			if err := push(img, fmt.Sprintf("%s:%d-%d", cache, stage, command)); err != nil {
				return err
			}
			before = after
		}
	}
	return push(img, destination)
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

// walk visits all that isn't ignored.
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

// empty removes all files below a folder.
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

// layerOf is a layer of what has been added or changed.
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
