package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"docker-credential-ecr-login/internal/atomicfile"
	"docker-credential-ecr-login/internal/stamp"
)

// machineMap is the map of all users of a machine who have none of their own.
const machineMap = "/etc/ecr-login/config.toml"

// mapTries is how often a map is read that is being written.
const mapTries = 3

// MapError is what is wrong with the map. While there is one, nobody knows what a
// host that isn't ECR's stands for.
type MapError struct {
	// Where is the file, with a line if one is to blame, or the variable that names
	// the file.
	Where string
	// Problem tells the mistake, and how to mend it.
	Problem string
}

func (e *MapError) Error() string { return e.Where + ": " + e.Problem }

// readMap reads the map the user has, if there is one.
func readMap(env Env, home string) (Map, scalars, error) {
	if named := env.Get("AWS_ECR_CONFIG"); named != "" {
		return readNamedMap(named, home)
	}
	files := []string{machineMap}
	if home != "" {
		files = []string{path.Join(home, ".ecr/config.toml"), machineMap}
	}
	for _, file := range files {
		text, err := readMapFile(file, mapTries)
		if err != errAbsent && err != errHidden {
			return parseMapFile(file, home, text, err)
		}
	}
	return Map{}, nil, nil
}

func readNamedMap(file, home string) (Map, scalars, error) {
	file, err := Path(file, home)
	if err != nil {
		return Map{}, nil, &MapError{"AWS_ECR_CONFIG", err.Error()}
	}
	if file == os.DevNull {
		return Map{}, nil, nil
	}
	text, err := readMapFile(file, mapTries)
	if err == errAbsent {
		err = &MapError{file, "there is no such file; AWS_ECR_CONFIG names it"}
	} else if err == errHidden {
		err = &MapError{file, "it can't be read: permission denied; AWS_ECR_CONFIG names it"}
	}
	return parseMapFile(file, home, text, err)
}

func parseMapFile(file, home string, text []byte, err error) (Map, scalars, error) {
	if err != nil {
		return Map{}, nil, err
	}
	return parseMap(file, home, text)
}

var (
	errAbsent = errors.New("there is no such file")
	// errHidden is for a file in a directory that the user can't look into, such as
	// the home of another: nobody knows whether there is one.
	errHidden = errors.New("the folder can't be looked into")
)

// readMapFile reads a map that nobody but the user and root can have written. One
// that is being written it reads again, so many times.
// The error is a [*MapError], errAbsent or errHidden.
func readMapFile(file string, tries int) ([]byte, error) {
	f, err := atomicfile.OpenRead(file)
	if err != nil {
		// A link to nothing is there, and says that something ought to be.
		_, lerr := os.Lstat(file)
		switch {
		case atomicfile.IsAbsent(lerr):
			return nil, errAbsent
		case os.IsPermission(lerr):
			return nil, errHidden
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
		return nil, &MapError{file, "it is no regular file"}
	case info.Mode().Perm()&0o022 != 0:
		return nil, &MapError{file, fmt.Sprintf("others can write it (mode %04o); run: chmod go-w %s", info.Mode().Perm(), file)}
	case !atomicfile.IsTrusted(info):
		return nil, &MapError{file, fmt.Sprintf("it belongs to user %d, who could choose your roles; run: chown %d %s", atomicfile.Owner(info), os.Geteuid(), file)}
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
		return readMapFile(file, tries-1)
	}
	return text, nil
}

func unreadable(file string, err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return &MapError{file, fmt.Sprintf("it can't be read: %v", err)}
}
