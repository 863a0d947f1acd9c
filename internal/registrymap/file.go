package registrymap

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"docker-credential-ecr-login/internal/atomicfile"
	"docker-credential-ecr-login/internal/stamp"
)

// tries is how often a map is read that is being written.
const tries = 3

// Error is what is wrong with the map. While there is one, nobody knows what a
// host that isn't ECR's stands for.
type Error struct {
	// Where is the file, with a line if one is to blame, or the variable that names
	// the file.
	Where string
	// Problem tells the mistake, and how to mend it.
	Problem string
}

func (e *Error) Error() string { return e.Where + ": " + e.Problem }

// Read reads a map that nobody but the user and root can have written. The error is an [*Error],
// [ErrAbsent] or [ErrHidden]; the settings before a mistake are returned all the same.
func Read(file string, o Options) (Map, map[string]Setting, error) {
	text, err := readFile(file, tries)
	if err != nil {
		return Map{}, nil, err
	}
	return parse(file, text, o)
}

var (
	// ErrAbsent is for a file that isn't there.
	ErrAbsent = errors.New("there is no such file")
	// ErrHidden is for a file in a directory that the user can't look into, such as
	// the home of another: nobody knows whether there is one.
	ErrHidden = errors.New("the folder can't be looked into")
)

// readFile returns the text of a map. One that is being written it reads again, so many times.
func readFile(file string, tries int) ([]byte, error) {
	f, err := atomicfile.OpenRead(file)
	if err != nil {
		// A link to nothing is there, and says that something ought to be.
		_, lerr := os.Lstat(file)
		switch {
		case atomicfile.IsAbsent(lerr):
			return nil, ErrAbsent
		case os.IsPermission(lerr):
			return nil, ErrHidden
		}
		return nil, unreadable(file, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, unreadable(file, err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, &Error{file, "it is no regular file"}
	case info.Mode().Perm()&0o022 != 0:
		return nil, &Error{file, fmt.Sprintf("others can write it (mode %04o); run: chmod go-w %s", info.Mode().Perm(), file)}
	case !atomicfile.IsTrusted(info):
		return nil, &Error{file, fmt.Sprintf("it belongs to user %d, who could choose your roles; run: chown %d %s", atomicfile.Owner(info), os.Geteuid(), file)}
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, unreadable(file, err)
	}
	if now, err := f.Stat(); err == nil {
		info = now
	}
	if wait := stamp.Wait(stamp.Settles(info), time.Now()); wait > 0 && tries > 1 {
		time.Sleep(wait)
		return readFile(file, tries-1)
	}
	return text, nil
}

func unreadable(file string, err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return &Error{file, fmt.Sprintf("it can't be read: %v", err)}
}
