package scripts

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The docs show files of testdata as they are, and show every file of these directories. Other
// tests use the same files.
func TestDocs(t *testing.T) {
	const root = "../../"
	shown := map[string]bool{}
	docs, err := filepath.Glob(root + "docs/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatalf("there are no docs: %v", err)
	}
	// Matches a link, the rest of its paragraph, and the indented lines below.
	example := regexp.MustCompile(`(?m)^\[.testdata/\S+.\]\(\.\./(testdata/\S+)\)((?:.+\n)+)\n((?:(?: {4}.*)?\n)+)`)
	for _, doc := range docs {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range example.FindAllStringSubmatch(string(text)+"\n", -1) {
			file, block := m[1], strings.TrimRight(m[3], "\n")+"\n"
			block = strings.ReplaceAll("\n"+block, "\n    ", "\n")[1:]
			want, err := os.ReadFile(root + file)
			if err != nil {
				t.Errorf("%s: %v", doc, err)
			} else if string(want) != block {
				t.Errorf("%s shows %s as\n%s\nbut it is\n%s", doc, file, block, want)
			}
			shown[file] = true
		}
	}
	for _, dir := range []string{"docker", "gitlab-runner", "kaniko", "kubernetes", "bazel"} {
		err := fs.WalkDir(os.DirFS(root), "testdata/"+dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && !shown[path] {
				t.Errorf("no doc shows %s", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// The tests that docs/security.md names exist.
func TestSecurityDocNamesTests(t *testing.T) {
	const root = "../../"
	text, err := os.ReadFile(root + "docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err = fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(root + path)
		for _, m := range function.FindAllStringSubmatch(string(text), -1) {
			tests[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, list := range regexp.MustCompile(`\(([^()]*`+"`"+`[^()]*)\)`).FindAllStringSubmatch(string(text), -1) {
		for _, m := range regexp.MustCompile("`([A-Za-z_]+)(?:/\\w+)?`").FindAllStringSubmatch(list[1], -1) {
			named++
			name := m[1]
			if _, err := os.Stat("testdata/" + name + ".txtar"); err != nil && !tests[name] {
				t.Errorf("there is no test %s", name)
			}
		}
	}
	if named < 30 {
		t.Errorf("only %d tests are named", named)
	}
}

// The README names the Go version of go.mod.
func TestGoVersion(t *testing.T) {
	module, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(module)
	if version == nil || !strings.Contains(string(readme), "Both need Go "+string(version[1])+" or newer") {
		t.Errorf("the README doesn't ask for Go %s", version[1])
	}
}
