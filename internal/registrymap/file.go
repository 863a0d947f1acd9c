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

// Error is a mistake in the map. With one, nobody knows whether a host that isn't ECR's is an alias.
type Error struct {
	// Where is the file, with the line if there is one, or the variable that names the file.
	Where string
	// Problem is what is wrong, and how to fix it.
	Problem string
}

func (e *Error) Error() string { return e.Where + ": " + e.Problem }

// Read returns the map in a file that only the user and root can have written. It calls the functions
// of o.Settings, up to the first mistake. The error is an [*Error], [ErrAbsent] or [ErrHidden].
func Read(file string, o Options) (Map, error) {
	text, err := readFile(file, 3)
	if err != nil {
		return Map{}, err
	}
	return parse(file, text, o)
}

var (
	// ErrAbsent is the error for a file that doesn't exist.
	ErrAbsent = errors.New("there is no such file")
	// ErrHidden is the error for a file in a directory that the user can't search, such as another
	// user's home: nobody knows whether the file exists.
	ErrHidden = errors.New("it can't be read: permission denied")
)

// readFile returns the text of a map. It reads a map that is being written up to tries times.
func readFile(file string, tries int) ([]byte, error) {
	f, err := atomicfile.OpenRead(file)
	if err != nil {
		// A broken link exists: whoever made it wants a map.
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
