package dockerconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"docker-credential-ecr-login/internal/atomicfile"
)

// follow returns the path that a symbolic link leads to. Nothing need be there.
func follow(path string) (string, error) {
	const links = 40 // as many as the kernel follows
	for range links {
		to, err := os.Readlink(path)
		if err != nil {
			return path, nil // not a link, or nothing at all
		}
		if !filepath.IsAbs(to) {
			// A parent directory may be a link, too: then ".." isn't what it seems.
			dir, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			to = filepath.Join(dir, to)
		}
		path = to
	}
	return "", fmt.Errorf("%s is a symbolic link that leads nowhere", path)
}

// Save writes what has changed. The file keeps its mode and its owner. A new file, and new parent
// directories, are for this user alone. If Save fails, the file is as it was.
func (f *File) Save() error {
	if !f.Changed() {
		return nil
	}
	if err := atomicfile.MakePrivateDir(filepath.Dir(f.Path)); err != nil {
		return err
	}
	options := atomicfile.Options{Replaces: f.info, Sync: true, Check: f.unchanged}
	err := atomicfile.Write(f.Path, f.text, options)
	if atomicfile.IsMounted(err) {
		return fmt.Errorf("%s is mounted by itself, so it can't be replaced; "+
			"change it where it is mounted from", f.Path)
	}
	return err
}

// unchanged returns an error if another program has written the file meanwhile.
func (f *File) unchanged() error {
	now, err := os.ReadFile(f.Path)
	if f.info == nil && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && string(now) != string(f.old) {
		err = errors.New("it has just been changed by somebody else; try again")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	return nil
}
