package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The comment of an exported name begins with that name, so that none outlives a rename.
func TestCommentsBeginWithTheName(t *testing.T) {
	files := token.NewFileSet()
	found := 0
	check := func(doc *ast.CommentGroup, names ...*ast.Ident) {
		if doc.Text() == "" || !slices.ContainsFunc(names, (*ast.Ident).IsExported) {
			return
		}
		found++
		words := strings.Fields(doc.Text())
		if slices.Contains([]string{"A", "An", "The"}, words[0]) {
			words = words[1:]
		}
		first := strings.Trim(words[0], ",.:")
		if !slices.ContainsFunc(names, func(name *ast.Ident) bool { return name.Name == first }) {
			t.Errorf("%s: the comment of %s begins with %s", files.Position(doc.Pos()), names[0], first)
		}
	}
	visit := func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			check(node.Doc, node.Name)
		case *ast.GenDecl:
			if node.Lparen.IsValid() {
				return true // the comment is about the whole block
			}
			switch spec := node.Specs[0].(type) {
			case *ast.TypeSpec:
				check(node.Doc, spec.Name)
			case *ast.ValueSpec:
				check(node.Doc, spec.Names...)
			}
		case *ast.TypeSpec:
			check(node.Doc, node.Name)
		case *ast.ValueSpec:
			check(node.Doc, node.Names...)
		case *ast.Field:
			check(node.Doc, node.Names...)
		}
		return true
	}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != "../.." {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil || d.Name()[0] == '.' {
				return filepath.SkipDir // e2e, and what isn't the product's
			}
		}
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err == nil {
			ast.Inspect(file, visit)
		}
		return err
	})
	if err != nil || found < 100 {
		t.Errorf("%d comments found, %v", found, err)
	}
}
