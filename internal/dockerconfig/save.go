package dockerconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"docker-credential-ecr-login/internal/atomicfile"
)

// follow returns where a path leads, which need not be there.
func follow(path string) (string, error) {
	const links = 40 // as many as the kernel follows
	for range links {
		to, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link, or nothing at all
		}
		if !filepath.IsAbs(to) {
			// Not by the words of it alone: a directory on the way may be a link, too.
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

// Save writes what has changed. The file keeps its mode and its owner, and is whole at every
// moment; a new one, and new directories above it, are for this user alone. Where it fails, the
// file is as it was.
func (f *File) Save() (err error) {
	if !f.Changed() {
		return nil
	}
	dir := filepath.Dir(f.Path)
	if err := atomicfile.MakeDirs(dir); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, "."+filepath.Base(f.Path)+"-*") // of mode 0600
	if err != nil {
		return err
	}
	defer func() {
		temp.Close()
		if err != nil {
			os.Remove(temp.Name())
		}
	}()
	if _, err := temp.Write(f.text); err != nil {
		return err
	}
	if f.info != nil {
		if err := f.keep(temp); err != nil {
			return err
		}
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	if err := f.unchanged(); err != nil {
		return err
	}
	err = os.Rename(temp.Name(), f.Path)
	if errors.Is(err, syscall.EBUSY) {
		err = fmt.Errorf("%s is mounted by itself, so it can't be replaced; change it where it is mounted from", f.Path)
	}
	return err
}

// keep gives the new file the owner and the mode of the old one.
func (f *File) keep(temp *os.File) error {
	info, err := temp.Stat()
	if err != nil {
		return err
	}
	was, is := f.info.Sys().(*syscall.Stat_t), info.Sys().(*syscall.Stat_t)
	if was.Uid != is.Uid || was.Gid != is.Gid {
		if err := temp.Chown(int(was.Uid), int(was.Gid)); err != nil {
			return fmt.Errorf("%s is of user %d and group %d, which can't be kept: %w", f.Path, was.Uid, was.Gid, err)
		}
	}
	return temp.Chmod(f.info.Mode().Perm())
}

// unchanged tells of a client that has written the file meanwhile.
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
