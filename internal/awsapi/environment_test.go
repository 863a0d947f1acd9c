package awsapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// harmless are the names the SDK reads, or that look like it, which decide
// nothing about the principal.
var harmless = map[string]string{
	"_X_AMZN_TRACE_ID": "a header for tracing inside Lambda",
}

// An identity is made of the variables that begin with AWS_ and of the home. So
// the SDK must read no others; its source is asked, whatever its version.
func TestVariablesOfTheSDK(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{.Dir}}", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	found := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(path, "github.com/aws/") {
			for _, name := range variablesOf(t, dir) {
				found[name] = true
			}
		}
	}
	for _, known := range []string{"AWS_PROFILE", "AWS_LOGIN_CACHE_DIRECTORY", "AWS_ENDPOINT_URL_ECR"} {
		if !found[known] {
			t.Errorf("the search doesn't find %s, so it finds too little", known)
		}
	}
	for name := range found {
		if !strings.HasPrefix(name, "AWS_") && harmless[name] == "" {
			t.Errorf("the SDK reads %s, which is no part of an identity", name)
		}
	}
}

var variable = regexp.MustCompile(`^_?[A-Z][A-Z0-9]*_[A-Z0-9_]+$|^HOME$`)

// variablesOf lists the strings that look like a variable's name in the files of
// a package that reads the environment.
func variablesOf(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	reads := false
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				pkg, ok := n.X.(*ast.Ident)
				reads = reads || ok && (pkg.Name == "os" || pkg.Name == "syscall") &&
					(strings.HasSuffix(n.Sel.Name, "env") || strings.HasSuffix(n.Sel.Name, "Env"))
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && variable.MatchString(text) {
					names = append(names, text)
				}
			}
			return true
		})
	}
	if !reads {
		return nil
	}
	return names
}
