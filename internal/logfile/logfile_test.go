package logfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a/b/ecr-login.log")
	for range 2 {
		logger, err := Open(file, "")
		if err != nil {
			t.Fatal(err)
		}
		logger.Info("seen")
		logger.Debug("not seen")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(text); strings.Count(got, "msg=seen") != 2 || strings.Contains(got, "not seen") {
		t.Errorf("the log holds %q", got)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("the log has mode %v, %v", info.Mode(), err)
	}
}

func TestSizeIsBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ecr-login.log")
	for _, name := range []string{file, file + ".1"} {
		if err := os.WriteFile(name, make([]byte, maxSize+1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	logger, err := Open(file, "debug")
	if err != nil {
		t.Fatal(err)
	}
	logger.Debug("x")
	if info, err := os.Stat(file); err != nil || info.Size() > 1000 {
		t.Errorf("the log is still of %d bytes, %v", info.Size(), err)
	}
	files, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(files) != 2 {
		t.Errorf("%d files, %v; want the log and one before it", len(files), err)
	}
}

func TestFileThatWasThereBecomesPrivate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ecr-login.log")
	if err := os.WriteFile(file, []byte("before\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, "debug"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 || info.Size() == 0 {
		t.Errorf("the log has mode %v and %d bytes, %v", info.Mode(), info.Size(), err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(link, "debug"); err == nil {
		t.Error("a link is followed")
	}
	if _, err := Open(filepath.Join(dir, "x"), "loud"); err == nil {
		t.Error("a level that isn't one is taken")
	}
}
