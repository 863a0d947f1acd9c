// Package logfile writes the log to a file of bounded size, for this user alone.
package logfile

import (
	"os"
	"path/filepath"

	"github.com/sirupsen/logrus"

	"docker-credential-ecr-login/internal/atomicfile"
)

// maxSize is how large the file may be when Open finds it; a larger one becomes FILE.1 and replaces
// an older one. So a log takes about 2 MiB.
const maxSize = 1 << 20

// Open returns a logger that appends to the file. The level is one of logrus's, info if it is
// empty.
func Open(file, level string) (*logrus.Logger, error) {
	if level == "" {
		level = "info"
	}
	parsed, err := logrus.ParseLevel(level)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.MakePrivateDir(filepath.Dir(file)); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(file); err == nil && info.Mode().IsRegular() && info.Size() > maxSize {
		os.Rename(file, file+".1") // two processes at once: the second finds a small file
	}
	// Each line is one write, which O_APPEND keeps whole among processes.
	out, err := atomicfile.OpenNoFollow(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if info, err := out.Stat(); err == nil && info.Mode().IsRegular() {
		out.Chmod(0o600) // it may be another helper's, which others can read
	}
	logger := logrus.New()
	logger.SetOutput(quiet{out})
	logger.SetLevel(parsed)
	logger.SetFormatter(&logrus.TextFormatter{DisableColors: true, FullTimestamp: true})
	return logger, nil
}

// quiet ignores errors of writing, such as of a full disk: logrus would print them on stderr.
type quiet struct{ *os.File }

func (q quiet) Write(p []byte) (int, error) {
	q.File.Write(p)
	return len(p), nil
}
