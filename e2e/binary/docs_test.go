package binary

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the docs show of a file of testdata is that file, which other tests use, and
// none of those files is shown nowhere.
func TestDocs(t *testing.T) {
	const root = "../../"
	shown := map[string]bool{}
	docs, err := filepath.Glob(root + "docs/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatalf("there are no docs: %v", err)
	}
	// A link, the rest of its paragraph, and the indented lines below that.
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
	for _, dir := range []string{"docker", "gitlab-runner", "kaniko"} {
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
