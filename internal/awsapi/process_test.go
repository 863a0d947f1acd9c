package awsapi

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"

	"docker-credential-ecr-login/internal/sharedconfig"
)

func TestFirstWord(t *testing.T) {
	for line, want := range map[string][2]string{
		"":                       {"", ""},
		"p":                      {"p", ""},
		" p\ta  b ":              {"p", "a  b"},
		`"/a b/p" x`:             {"/a b/p", "x"},
		`'/a b/p'`:               {"/a b/p", ""},
		`"/a b/p"x y`:            {`"/a`, `b/p"x y`},
		`"/a b`:                  {`"/a`, "b"},
		`"a" "b"`:                {"a", `"b"`},
		`sh -c 'p "a"'`:          {"sh", `-c 'p "a"'`},
		"'a\"b' c":               {`a"b`, "c"},
		"/opt/p --profile \"a\"": {"/opt/p", `--profile "a"`},
	} {
		if word, rest := firstWord(line); word != want[0] || rest != want[1] {
			t.Errorf("%q: %q, %q; want %q", line, word, rest, want)
		}
	}
}

func TestProcessLine(t *testing.T) {
	program := write(t, "")
	for _, c := range []struct {
		text, sdk     string // in the file, and as the SDK reads it
		line, program string
	}{
		{"p a", "p a", "p a", "p"},
		{`"/a b/p" x "y"`, `/a b/p" x "y`, `"/a b/p" x "y"`, "/a b/p"},
		{`"p a"`, "p a", "p a", "p"},
		{`'` + program + `'`, program, `'` + program + `'`, program},
		{`"p" a`, `"p" a`, `"p" a`, "p"},
	} {
		text := "[default]\ncredential_process = " + c.text + "\n"
		chain := &chain{
			profiles:     []*config.SharedConfig{{CredentialProcess: c.sdk}},
			profileChain: sharedconfig.Texts{Config: text}.Profiles().Chain("default"),
		}
		if line, program := chain.processLine(); line != c.line || program != c.program {
			t.Errorf("%s: %s, %s; want %s, %s", c.text, line, program, c.line, c.program)
		}
	}
}

func TestRelativePath(t *testing.T) {
	for program, want := range map[string]bool{
		"./p": true, "../p": true, "a/p": true, "a.b/c d/p": true,
		"p": false, "/a/p": false, "~/p": false, "$HOME/p": false, "": false, "a;b/p": false,
	} {
		if got := relativePath.MatchString(program); got != want {
			t.Errorf("%q: %v, want %v", program, got, want)
		}
	}
}
