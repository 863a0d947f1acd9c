package search

import (
	"fmt"
	"testing"
)

// planted is a bug: in a file, one text in place of another. It shows where files move while they are
// read, or where they stay.
type planted struct {
	share                int
	name, file, old, bug string
}

const stays, moves = 0, 100

// bugs are planted one at a time; the search has to find each. They are in the order of how soon it
// does, by and large.
var bugs = []planted{
	{
		stays, "the credentials file doesn't count", "internal/identity/identity.go",
		`texts.Credentials, credentialsRead = in.file("credentials", files.Credentials)`,
		`texts.Credentials, _ = in.contents(files.Credentials); credentialsRead = true`,
	},
	{stays, "the map's role doesn't count", "internal/identity/identity.go", `	in.add("role", p.RoleARN)`, ``},
	{stays, "the region of another partition is asked", "internal/fetch/chain.go", `	return r.TokenRegion()`, `	return c.configured`},
	{moves, "a login that moves is kept", "internal/token/errand.go", `before == e.loginStamp`, `true`},

	{stays, "the profile doesn't count", "internal/identity/identity.go", `		in.add("variable", kv)`, `		if !strings.HasPrefix(kv, "AWS_PROFILE=") { in.add("variable", kv) }`},
	{stays, "the config file doesn't count", "internal/identity/identity.go",
		`texts.Config, configRead = in.file("config", files.Config)`, `texts.Config, _ = in.contents(files.Config); configRead = true`},
	{stays, "logins don't count", "internal/identity/identity.go", `	if source.used.Logins {`, `	if false {`},
	{stays, "token files don't count", "internal/identity/identity.go", `unsure = !in.tokenFile("web identity token", file) || unsure`, `_ = file`},
	{stays, "the map's profile doesn't count", "internal/identity/identity.go", `	in.add("profile", p.Profile)`, ``},
	{stays, "a token is for all regions", "internal/token/token.go", `Region: r.TokenRegion(), Flavour`, `Region: "eu-west-1", Flavour`},
	{stays, "blanks stay around a region", "internal/fetch/chain.go", `region := strings.TrimSpace(env.Get(name)); region`, `region := strings.TrimLeft(env.Get(name), ""); region`},
	{stays, "quotes stay around a name", "internal/sharedconfig/parse.go", `wasQuoted = bare != name && bare != ""`, `wasQuoted = false && bare != ""`},
	{stays, "a tilde stays", "internal/config/path.go", `return path.Join(home, rest), nil`, `return text, nil`},
	{stays, "half of a pair of keys is skipped", "internal/fetch/check.go", `missing != ""`, `missing == "none"`},
	{stays, "a byte order mark is skipped", "internal/sharedconfig/problem.go", `	p.problems = append(p.problems, Problem{Text: what})`, `	_ = what`},
	{moves, "a stamp has no times", "internal/stamp/stamp.go", `inode(info), info.Size(), info.ModTime().UnixNano(), changeTime(info).UnixNano())`, `inode(info), info.Size(), 0, 0)`},
	{moves, "the SDK reads the files", "internal/fetch/files.go", `	copied, path, err := inMemory(text)`, `	copied, path, err := inMemory(text); c.fromFiles = false; if err == nil && !another { copied.Close(); return file, func() {}, nil }`},
	{moves, "what was got while logins moved is used again", "internal/token/errand.go", `	q.Identity += string(e.tokenStamp + e.loginStamp)`, ``},
}

func TestPlantedBugs(t *testing.T) {
	t.Logf("seed %d", *seed)
	few := bugs
	if testing.Short() {
		few = bugs[:4]
	}
	for _, b := range few {
		made, _, violation := search(t, plant(t, b.file, b.old, b.bug), 10000, b.share)
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
