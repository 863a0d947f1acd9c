//go:build unix

package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func wantMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	if info, err := os.Lstat(path); err != nil || info.Mode() != want {
		t.Errorf("%s: %v, %v; want %v", path, info, err, want)
	}
}

func TestMakePrivateDir(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	defer syscall.Umask(syscall.Umask(0o577))
	if err := MakePrivateDir(filepath.Join(dir, "a/b")); err != nil {
		t.Fatal(err)
	}
	wantMode(t, dir, fs.ModeDir|0o755)
	wantMode(t, filepath.Join(dir, "a"), fs.ModeDir|0o700)
	wantMode(t, filepath.Join(dir, "a/b"), fs.ModeDir|0o700)
}

// Whatever is in the place of the file, it is replaced or kept as a whole, and nothing else is
// left.
func TestWrite(t *testing.T) {
	modTime := time.Now().Add(12 * time.Hour).Round(time.Second)
	for name, c := range map[string]struct {
		before  func(file string) error
		options func(file string) Options
		mode    fs.FileMode
		fails   bool
	}{
		"nothing":            {mode: 0o600},
		"a file":             {before: writes("old", 0o644), mode: 0o600},
		"an empty directory": {before: func(file string) error { return os.Mkdir(file, 0o700) }, mode: 0o600},
		"a directory":        {before: func(file string) error { return os.MkdirAll(file+"/a", 0o700) }, fails: true},
		"a link":             {before: func(file string) error { return os.Symlink("elsewhere", file) }, mode: 0o600},
		"a file to imitate": {before: writes("old", 0o640), options: func(file string) Options {
			info, _ := os.Stat(file)
			return Options{Replaces: info, Sync: true}
		}, mode: 0o640},
		"a file that has changed": {before: writes("old", 0o600), options: func(string) Options {
			return Options{Check: func() error { return errors.New("changed") }}
		}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "file")
			if c.before != nil {
				if err := c.before(file); err != nil {
					t.Fatal(err)
				}
			}
			var o Options
			if c.options != nil {
				o = c.options(file)
			}
			o.ModTime = modTime
			mask := syscall.Umask(0o777)
			err := Write(file, []byte("new"), o)
			syscall.Umask(mask)
			if (err != nil) != c.fails {
				t.Errorf("Write: %v", err)
			}
			if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
				t.Errorf("in the directory: %v, %v", entries, err)
			}
			text, _ := os.ReadFile(file)
			if c.fails {
				if string(text) == "new" {
					t.Error("it is replaced")
				}
				return
			}
			wantMode(t, file, c.mode)
			if info, err := os.Stat(file); err != nil || string(text) != "new" || !info.ModTime().Equal(modTime) {
				t.Errorf("it holds %q, of %v, %v; want %v", text, info.ModTime(), err, modTime)
			}
		})
	}
}

func writes(text string, mode fs.FileMode) func(string) error {
	return func(file string) error { return os.WriteFile(file, []byte(text), mode) }
}

func TestWriteKeepsTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chown(file, 1234, 1234)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(file, []byte("new"), Options{Replaces: info}); err != nil {
		t.Fatal(err)
	}
	if info, err = os.Stat(file); err != nil || Owner(info) != 1234 || IsOwn(info) || IsTrusted(info) {
		t.Errorf("it belongs to %d, %v", Owner(info), err)
	}
}

// A file that is being written is locked, under a name that says so.
func TestIsAbandoned(t *testing.T) {
	dir := t.TempDir()
	look := func() error {
		files, _ := filepath.Glob(filepath.Join(dir, "file.*"+TempSuffix))
		if len(files) != 1 {
			t.Fatalf("being written: %q", files)
		}
		if abandoned, err := IsAbandoned(files[0]); abandoned || err != nil {
			t.Errorf("what is being written: abandoned %v, %v", abandoned, err)
		}
		return nil
	}
	if err := Write(filepath.Join(dir, "file"), nil, Options{Check: look}); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(dir, "left"+TempSuffix)
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if abandoned, err := IsAbandoned(left); !abandoned || err != nil {
		t.Errorf("what a process left: abandoned %v, %v", abandoned, err)
	}
	if _, err := IsAbandoned(left + "x"); err == nil {
		t.Error("a file that isn't there has a lock")
	}
}

func TestOpenNeitherFollowsNorWaits(t *testing.T) {
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Symlink("pipe", link)); err != nil {
		t.Fatal(err)
	}
	if f, err := OpenNoFollow(link, os.O_RDONLY); err == nil {
		f.Close()
		t.Error("a link is followed")
	}
	for name, open := range map[string]func() (*os.File, error){
		"OpenRead":     func() (*os.File, error) { return OpenRead(link) },
		"OpenNoFollow": func() (*os.File, error) { return OpenNoFollow(pipe, os.O_RDONLY) },
	} {
		f, err := open()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f.Close()
	}
	if _, err := OpenNoFollow(pipe, os.O_WRONLY); err == nil {
		t.Error("a pipe that nobody reads is opened to write")
	}
}

func TestIsAbsent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{file + "x": true, file + "/x": true, strings.Repeat("x", 5000): false} {
		if _, err := os.Lstat(path); err == nil || IsAbsent(err) != want {
			t.Errorf("%.50s: %v; want absent %v", path, err, want)
		}
	}
}

func TestReadRegular(t *testing.T) {
	dir := t.TempDir()
	file, pipe, secret := filepath.Join(dir, "file"), filepath.Join(dir, "pipe"), filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		most int64
		want string // of the error, if it isn't that of os.ReadFile
	}{
		{file, 4, ""},
		{file, 3, "it is too large"},
		{"/proc/self/mountinfo", 1 << 20, ""}, // whose size is 0
		{"/proc/self/mountinfo", 5, "it is too large"},
		{pipe, 4, "it isn't a regular file"},
		{"/dev/zero", 4, "it isn't a regular file"},
		{dir, 4, ""},
		{filepath.Join(dir, "none"), 4, ""},
		{file + "/x", 4, ""},
		{secret, 4, ""},
	} {
		text, info, err := ReadRegular(c.name, c.most)
		if _, statErr := os.Stat(c.name); (info == nil) != (statErr != nil) {
			t.Errorf("%s: its state is %v", c.name, info)
		}
		if c.want != "" {
			if want := "read " + c.name + ": " + c.want; fmt.Sprint(err) != want {
				t.Errorf("got %v, want %s", err, want)
			}
			continue // os.ReadFile would read it, or wait
		}
		want, wantErr := os.ReadFile(c.name)
		if string(text) != string(want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Errorf("%s: %q, %v; want %q, %v", c.name, text, err, want, wantErr)
		}
	}
}
