package atomicfile_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What depends on the operating system is in package atomicfile, in files whose names say so. The
// other one makes a file in memory, which only Linux has.
func TestSystemCalls(t *testing.T) {
	allowed := regexp.MustCompile(`^../../internal/(atomicfile/\w+_(unix|bsd|linux|darwin)|awsapi/memory_linux)\.go$`)
	found := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "../.." && (strings.HasPrefix(d.Name(), ".") || isModule(path)):
			return filepath.SkipDir // e2e, and what isn't the product's
		case filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			if name != "syscall" && !strings.HasPrefix(name, "golang.org/x/sys/") {
				continue
			}
			if found++; !allowed.MatchString(path) {
				t.Errorf("%s imports %s; put that into package atomicfile, into a file such as NAME_unix.go", path, name)
			}
		}
		return nil
	})
	if err != nil || found < 3 {
		t.Errorf("%d imports found, %v", found, err)
	}
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}
