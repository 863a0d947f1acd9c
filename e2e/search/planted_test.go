package search

import (
	"fmt"
	"testing"
)

// planted is a bug: in a file, one text in place of another. It shows while a file moves, or while all stays.
type planted struct {
	moving               string // the file that is to move
	name, file, old, bug string
}

// bugs are planted one at a time; the search has to find each. They are in the order of how soon it
// does, by and large.
var bugs = []planted{
	{
		"", "the credentials file doesn't count", "internal/identity/identity.go",
		`texts.Credentials, credentialsRead = in.file("credentials", files.Credentials)`,
		`texts.Credentials, _ = in.contents(files.Credentials); credentialsRead = true`,
	},
	{"", "the map's role doesn't count", "internal/identity/identity.go", `	in.add("role", p.RoleARN)`, ``},
	{"", "the region of another partition is asked", "internal/awsapi/chain.go", `	return r.TokenRegion()`, `	return c.configured`},
	{"config", "the SDK reads the files", "internal/awsapi/files.go", `	copied, path, err := inMemory(text)`, `	copied, path, err := inMemory(text); c.fromFiles = false; if err == nil && !differs { copied.Close(); return []string{file}, nil, nil }`},

	{"sso", "a login that moves is kept", "internal/tokensource/attempt.go", `before == a.loginStamp`, `true`},
	{"", "the profile doesn't count", "internal/identity/identity.go", `		in.add("variable", kv)`, `		if !strings.HasPrefix(kv, "AWS_PROFILE=") { in.add("variable", kv) }`},
	{"", "the config file doesn't count", "internal/identity/identity.go",
		`texts.Config, configRead = in.file("config", files.Config)`, `texts.Config, _ = in.contents(files.Config); configRead = true`},
	{"", "logins don't count", "internal/identity/identity.go", `	if source.Used.Logins {`, `	if false {`},
	{"", "token files don't count", "internal/identity/identity.go", `uncacheable = !in.tokenFile("web identity token", file) || uncacheable`, `_ = file`},
	{"", "the map's profile doesn't count", "internal/identity/identity.go", `	in.add("profile", p.Profile)`, ``},
	{"", "a token is for all regions", "internal/tokensource/keys.go", `Region: r.TokenRegion(), EndpointVariant`, `Region: "eu-west-1", EndpointVariant`},
	{"", "blanks stay around a region", "internal/awsapi/chain.go", `region := strings.TrimSpace(env.Get(name)); region`, `region := strings.TrimLeft(env.Get(name), ""); region`},
	{"", "quotes stay around a name", "internal/sharedconfig/parse.go", `wasQuoted = isWord && bare != name && bare != ""`, `wasQuoted = isWord && bare == "none"`},
	{"", "a tilde stays", "internal/config/path.go", `return path.Join(home, rest), nil`, `return text, nil`},
	{"", "half of a pair of keys is skipped", "internal/awsapi/check.go", `missing != ""`, `missing == "none"`},
	{"", "a broken line is skipped", "internal/sharedconfig/problem.go", `	p.problems = append(p.problems, Problem{Line: line, Text: what})`, ``},
	{"sso", "a stamp has no times", "internal/stamp/stamp.go", `info.Size(), info.ModTime().UnixNano(),
		atomicfile.ChangeTime(info).UnixNano())`, `info.Size(), 0, 0)`},
	{"sso", "what was got while logins moved is used again", "internal/tokensource/attempt.go", `	q.Identity += string(a.tokenStamp + a.loginStamp)`, ``},
}

func TestPlantedBugs(t *testing.T) {
	t.Logf("seed %d", *seed)
	few := bugs
	if testing.Short() {
		few = bugs[:4]
	}
	for _, b := range few {
		share := 0
		if b.moving != "" {
			share = 100
		}
		made, _, violation := search(t, plant(t, b.file, b.old, b.bug), 10000, share, b.moving)
		sum := 0
		for _, n := range made {
			sum += n
		}
		if violation == nil {
			t.Errorf("seed %d: %s: not found in %d changes", *seed, b.name, sum)
			continue
		}
		fmt.Printf("found after %5d changes: %s\n", sum, b.name)
	}
}
