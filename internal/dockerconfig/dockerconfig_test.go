package dockerconfig

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

const host = "222222222222.dkr.ecr.ap-south-1.amazonaws.com"

func TestEdit(t *testing.T) {
	const other = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
	for name, c := range map[string]struct {
		edit     func(f *File)
		was, is  string
		ungained bool // what was edited isn't undone by its opposite
	}{
		"nothing there": {
			func(f *File) { f.SetHelper(host) }, "", "{\n\t\"credHelpers\": {\n\t\t\"" + host + "\": \"ecr-login\"\n\t}\n}\n", true,
		},
		"an empty object": {
			func(f *File) { f.SetHelper(host) }, "{}", "{\n\t\"credHelpers\": {\n\t\t\"" + host + "\": \"ecr-login\"\n\t}\n}", true,
		},
		"Docker's own layout, and keys that nobody knows": {
			func(f *File) { f.SetHelper(host) },
			"{\n\t\"auths\": {},\n\t\"x\": 1.00e400,\n\t\"plugins\": {\"a\":   [ ]}\n}\n",
			"{\n\t\"auths\": {},\n\t\"x\": 1.00e400,\n\t\"plugins\": {\"a\":   [ ]},\n\t\"credHelpers\": {\n\t\t\"" + host + "\": \"ecr-login\"\n\t}\n}\n", false,
		},
		"two blanks": {
			func(f *File) { f.SetHelper(host) },
			"{\n  \"credHelpers\": {\n    \"" + other + "\": \"ecr-login\"\n  },\n  \"z\": \"\\u00e9\"\n}",
			"{\n  \"credHelpers\": {\n    \"" + other + "\": \"ecr-login\",\n    \"" + host + "\": \"ecr-login\"\n  },\n  \"z\": \"\\u00e9\"\n}", false,
		},
		"lines that end as Windows' do": {
			func(f *File) { f.SetHelper(host) },
			"{\r\n    \"a\": 1\r\n}\r\n",
			"{\r\n    \"a\": 1,\r\n    \"credHelpers\": {\r\n        \"" + host + "\": \"ecr-login\"\r\n    }\r\n}\r\n", true,
		},
		"one line": {
			func(f *File) { f.SetHelper(host) }, `{"auths":{},"credHelpers":{}}`, "{\n\t\"auths\": {},\n\t\"credHelpers\": {\n\t\t\"" + host + "\": \"ecr-login\"\n\t}\n}", true,
		},
		"one line without": {
			func(f *File) { f.SetHelper(host) }, `{"auths":{"a": {}}}`, "{\n\t\"auths\": {\"a\": {}},\n\t\"credHelpers\": {\n\t\t\"" + host + "\": \"ecr-login\"\n\t}\n}", true,
		},
		"members that share a line": {
			func(f *File) { f.SetHelper(host) },
			"{\n  \"auths\" : {\"a\":  {}}, \"x\":1,\n  \"credHelpers\": {}}\n",
			"{\n  \"auths\": {\"a\":  {}},\n  \"x\": 1,\n  \"credHelpers\": {\n    \"" + host + "\": \"ecr-login\"\n  }\n}\n", true,
		},
		"keys that are there twice": {(*File).SetStore, `{"a":1,"b":2,"a":3}`, "{\n\t\"a\": 1,\n\t\"b\": 2,\n\t\"a\": 3,\n\t\"credsStore\": \"ecr-login\"\n}", true},
		"null": {
			func(f *File) { f.SetHelper(host) }, `{"credHelpers":null}`, "{\n\t\"credHelpers\": {\n\t\t\"" + host + "\": \"ecr-login\"\n\t}\n}", true,
		},
		"another helper": {
			func(f *File) { f.SetHelper(host) }, `{"credHelpers":{"` + host + `":"pass","b":"c"}}`, "{\n\t\"credHelpers\": {\n\t\t\"" + host + "\": \"ecr-login\",\n\t\t\"b\": \"c\"\n\t}\n}", true,
		},
		"a host in capital letters": {
			func(f *File) { f.SetHelper(host) }, `{"credHelpers":{"` + strings.ToUpper(host) + `":"pass"}}`,
			"{\n\t\"credHelpers\": {\n\t\t\"" + strings.ToUpper(host) + "\": \"pass\",\n\t\t\"" + host + "\": \"ecr-login\"\n\t}\n}", true,
		},
		"it is there": {
			func(f *File) { f.SetHelper(host) }, `{"credHelpers":{"` + host + `" : "ecr-login"}}`, `{"credHelpers":{"` + host + `" : "ecr-login"}}`, true,
		},
		"a store":       {(*File).SetStore, "{\n\t\"a\": 1\n}\n", "{\n\t\"a\": 1,\n\t\"credsStore\": \"ecr-login\"\n}\n", true},
		"another store": {(*File).SetStore, `{"credsStore":"desktop","a":1}`, "{\n\t\"credsStore\": \"ecr-login\",\n\t\"a\": 1\n}", true},
		"no store":      {(*File).RemoveStore, "{\n\t\"credsStore\": \"ecr-login\",\n\t\"a\": 1\n}\n", "{\n\t\"a\": 1\n}\n", true},
		"the first of two": {
			func(f *File) { f.RemoveHelper(host) }, `{"credHelpers":{"` + host + `":"ecr-login", "b":"c"}}`, "{\n\t\"credHelpers\": {\n\t\t\"b\": \"c\"\n\t}\n}", true,
		},
		"the last": {func(f *File) { f.RemoveHelper(host) }, `{"credHelpers":{"` + host + `":"ecr-login"}}`, `{}`, true},
		"none":     {func(f *File) { f.RemoveHelper(host) }, "{\"a\":\t1}", "{\"a\":\t1}", true},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Parse("config.json", c.was)
			if err != nil {
				t.Fatal(err)
			}
			c.edit(f)
			if f.Text() != c.is {
				t.Errorf("it is\n%s\nwant\n%s", f.Text(), c.is)
			}
			if f.Changed() != (c.was != c.is) {
				t.Errorf("changed: %v", f.Changed())
			}
			f.RemoveHelper(host)
			if !c.ungained && f.Text() != c.was {
				t.Errorf("undone it is\n%s\nwant\n%s", f.Text(), c.was)
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"{\n\"a\": 1,\n}":                     "config.json: line 3: there is a comma before }, which JSON doesn't allow; remove the comma",
		`{"auths":{"a":[1,]}}`:                "line 1: there is a comma before ], which JSON doesn't allow",
		"{\n// mine\n\"a\": 1}":               "line 2: there is a comment, which JSON doesn't allow",
		"{\"a\": 1,\n# mine\n\"b\": 1}":       "line 2: there is a comment, which JSON doesn't allow",
		"{\"auths\": {}, /* x */ \"b\": 1}":   "line 1: there is a comment",
		"{'a': 1}":                            "line 1: there is a single quote, which JSON doesn't allow; write double quotes",
		"{\"a\": {}\n\"b\": 1}":               "line 2: a comma is missing before this line, or in it",
		"{":                                   "line 1: the JSON ends too early; a closing } is missing",
		"[]":                                  "something else than a JSON object",
		"{}\n// mine":                         "line 2: there is a comment",
		"\xff\xfe{\x00}\x00":                  "it is UTF-16, and JSON is UTF-8",
		"{} {}":                               "something follows",
		`{"credHelpers":{"a":1}}`:             "credHelpers isn't what clients expect",
		`{"credHelpers":[]}`:                  "credHelpers isn't what clients expect",
		`{"credHelpers":{},"credHelpers":{}}`: `"credHelpers" is there 2 times`,
		`{"CredHelpers":{}}`:                  `"CredHelpers" is to be written "credHelpers"`,
		`{"credHelpers":{"a":"b","a":"c"}}`:   `credHelpers: "a" is there 2 times`,
		`{"credsStore":{}}`:                   "credsStore isn't what clients expect",
		"\ufeff{}":                            "config.json: it begins with a byte order mark, which JSON doesn't allow; save it as UTF-8 without one",
		"{\"auths\":\n{\"a\":{\"x\":}}}":      "line 2: invalid character",
	} {
		if _, err := Parse("config.json", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

func TestAuths(t *testing.T) {
	f, err := Parse("x", `{"auths":{"a":{},"b":{"auth":""},"c":{"auth":"eDp5"},"d":{"identitytoken":"x"},"e":null}}`)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.Auths(func(string) bool { return true }), " "); got != "c d" {
		t.Errorf("auths: %s", got)
	}
}

// The file keeps its mode and stays where a link leads; a new one is for its user alone.
func TestSave(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	// Where a directory on the way is a link, ".." isn't what it seems.
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "far/deep"), 0o700), os.Symlink("../true.json", filepath.Join(dir, "far/deep/config.json")),
		os.Symlink("far/deep", filepath.Join(dir, "near"))); err != nil {
		t.Fatal(err)
	}
	if f, err := Read(filepath.Join(dir, "near/config.json")); err != nil || f.Path != filepath.Join(dir, "far/true.json") {
		t.Errorf("it is at %q, %v", f.Path, err)
	}
	real, link := filepath.Join(dir, "real", "config.json"), filepath.Join(dir, "new", "config.json")
	save := func() *File {
		t.Helper()
		f, err := Read(link)
		if err != nil {
			t.Fatal(err)
		}
		f.SetHelper(host)
		if err := f.Save(); err != nil {
			t.Fatal(err)
		}
		return f
	}
	save()
	wantMode(t, filepath.Dir(link), 0o700)
	wantMode(t, link, 0o600)
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../real/config.json", link); err != nil {
		t.Fatal(err)
	}
	save() // below a directory that isn't there
	if err := os.WriteFile(real, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(real, 0o664); err != nil {
		t.Fatal(err)
	}
	if f := save(); f.Path != real {
		t.Errorf("it is at %s", f.Path)
	}
	wantMode(t, real, 0o664)
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link: %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(real)); err != nil || len(entries) != 1 {
		t.Errorf("in the folder are %v, %v", entries, err)
	}

	f, err := Read(link)
	if err != nil {
		t.Fatal(err)
	}
	f.SetStore()
	if err := os.WriteFile(real, []byte(`{"a":"client's"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(); err == nil || !strings.Contains(err.Error(), "just been changed") {
		t.Errorf("what a client has written meanwhile: %v", err)
	}
	if text, _ := os.ReadFile(real); string(text) != `{"a":"client's"}` {
		t.Errorf("it is gone: %s", text)
	}
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
		t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
	}
}

func TestDiff(t *testing.T) {
	f, err := Parse("config.json", "{\n\t\"a\": 1,\n\t\"b\": 1,\n\t\"c\": 1,\n\t\"d\": 1\n}")
	if err != nil {
		t.Fatal(err)
	}
	if f.Diff() != "" {
		t.Errorf("without a change: %s", f.Diff())
	}
	f.SetStore()
	want := "--- /dev/null\n+++ config.json\n@@ -2,5 +2,6 @@\n \t\"a\": 1,\n \t\"b\": 1,\n \t\"c\": 1,\n-\t\"d\": 1\n+\t\"d\": 1,\n+\t\"credsStore\": \"ecr-login\"\n }\n"
	if got := f.Diff(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// No password is in it, however the file is laid out.
func TestDiffTellsNoPassword(t *testing.T) {
	for _, text := range []string{
		`{"auths":{"a":{"auth":"MARKED\"x","b":["MARKED"]},"https://me:MARKED@b/":{}},"x":"MARKED","credHelpers":{"me:MARKED@a":"pass"}}`,
		"{\n \"HttpHeaders\": {\n  \"Authorization\" :\n \"MARKED\\\\\"\n }\n}",
	} {
		f, err := Parse("config.json", text)
		if err != nil {
			t.Fatal(err)
		}
		f.SetHelper(host)
		if got := f.Diff(); strings.Contains(got, "MARKED") || !strings.Contains(got, host) {
			t.Errorf("%s", got)
		}
	}
}

// Whatever is edited, all else in it means what it did.
func FuzzEdit(f *testing.F) {
	for _, text := range []string{
		"", "{}", "null", `{"credHelpers":{}}`, `{"a":1,"a":2,"credHelpers":{"x":"y"}}`, "{\n \"a\" : [ 1, {\"b\":2} ] }", "{\"credHelpers\" :\r\n{ }}", `{"a\"b:":1}`,
		`{"credsStore":"x","credHelpers":{"a":"b"},"credHelpers":{"c":"d"}}`,
	} {
		f.Add(text, host)
	}
	f.Fuzz(func(t *testing.T, text, host string) {
		file, err := Parse("x", text)
		if err != nil || !utf8.ValidString(host) {
			return
		}
		file.SetHelper(host)
		file.SetStore()
		was, is := rest(t, text), rest(t, file.Text())
		if was != is {
			t.Fatalf("%q became %q", was, is)
		}
		again := file.Text()
		file.SetHelper(host)
		file.SetStore()
		if file.Text() != again {
			t.Fatalf("%q became %q", again, file.Text())
		}
		file.RemoveHelper(host)
		file.RemoveStore()
		if got := rest(t, file.Text()); got != was {
			t.Fatalf("%q became %q", was, got)
		}
	})
}

// rest is what a file says apart from what is edited.
func rest(t *testing.T, text string) string {
	if strings.TrimSpace(text) == "" {
		return "{}"
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	delete(all, "credHelpers")
	delete(all, "credsStore")
	out, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
