package stamp

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"docker-credential-ecr-login/internal/atomicfile"
)

// Files that changed and became the same again have another stamp.
func TestStamp(t *testing.T) {
	dir := t.TempDir()
	file, absent := filepath.Join(dir, "aws/config"), filepath.Join(dir, "aws/credentials")
	if err := errors.Join(os.Mkdir(dir+"/aws", 0o700), os.WriteFile(file, []byte("[default]\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	files := []string{file, absent}
	for _, c := range []struct {
		name   string
		change func() error
		moved  bool
	}{
		{"nothing", func() error { return nil }, false},
		{"a directory above", func() error { return os.WriteFile(dir+"/other", nil, 0o600) }, false},
		{"a file beside it", func() error { return os.WriteFile(dir+"/aws/other", nil, 0o600) }, false},
		{"the same text again", func() error { return os.WriteFile(file, []byte("[default]\n"), 0o600) }, true},
		{"a mode", func() error { return errors.Join(os.Chmod(file, 0), os.Chmod(file, 0o600)) }, true},
		{"a file that takes its place", func() error {
			return errors.Join(os.WriteFile(file+".new", []byte("[default]\n"), 0o600), os.Rename(file+".new", file))
		}, true},
		{"the directory, and another of its name", func() error {
			return errors.Join(os.Rename(dir+"/aws", dir+"/old"), os.Mkdir(dir+"/aws", 0o700), os.Rename(dir+"/old/config", file))
		}, true},
		{"a link to it", func() error { return errors.Join(os.Rename(file, dir+"/a"), os.Symlink(dir+"/a", file)) }, true},
		{"a file that is there now", func() error { return os.WriteFile(absent, nil, 0o600) }, true},
	} {
		before := Of(files)
		time.Sleep(2 * tick)
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		if moved := before != Of(files); moved != c.moved {
			t.Errorf("%s: moved is %v, want %v", c.name, moved, c.moved)
		}
	}
}

func TestWait(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	for _, c := range []struct {
		text string
		want time.Duration
	}{{"", emptyTime}, {"[default]", tick}} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := atomicfile.ChangeTime(info)
		for _, at := range []struct{ since, want time.Duration }{
			{0, c.want}, {c.want / 2, c.want / 2}, {c.want, 0}, {time.Hour, 0}, {-time.Hour, 0},
		} {
			if got := Wait(Settles(info), changed.Add(at.since)); got != at.want {
				t.Errorf("%q, %v after its change: waits %v, want %v", c.text, at.since, got, at.want)
			}
		}
	}
}
