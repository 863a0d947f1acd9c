package search

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// state decides to which principal a token belongs: what the user configures, how it is written,
// and what is wrong with it.
type state struct {
	target  int // of targets
	keys    int // the user whose keys are in the environment; -1 for none
	profile string
	region  string
	// webIdentity is the number of the role, and token that of the token file, that the environment
	// names; -1 for none.
	webIdentity, token int
	container          bool // the environment names a container's credentials
	profiles           map[string]profile
	tokens             [2]int // subjects in the token files; -1 for no file
	sso                [2]int // the users who are logged in to sessions; -1 for none
	login              int    // the user of "aws login"; -1 for none
	ownMap             entry
	moved              bool // AWS_CONFIG_FILE names another path
	tilde              bool // and does so with a tilde
	defect             string
	torn               string // the file that is empty
}

// profile is one profile of the AWS configuration.
type profile struct {
	kind          string
	user, role    int
	source        string
	token         int
	session       int
	inCredentials bool
	quoted        bool // its name is in quotes
	hasRegion     bool
}

// entry is the entry of the registry map for the target.
type entry struct {
	kind    string
	profile string
	role    int
	token   int
}

var (
	targets = []struct{ host, region string }{
		{"222222222222.dkr.ecr.ap-south-1.amazonaws.com", "ap-south-1"},
		{"111111111111.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1"},
		{"222222222222.dkr.ecr.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
	}
	names   = []string{"default", "a", "b", "my dev"}
	kinds   = []string{"keys", "keys", "role", "role", "role", "role of the environment", "role of the instance", "process", "web identity", "SSO", "SSO", "login", "login", "nothing", "absent"}
	entries = []string{"none", "none", "none", "none", "profile", "role", "profile and role", "web identity"}
	regions = []string{"", "", "eu-west-1", "eu-west-1\n", " ap-south-1", "us-gov-west-1", "cn-north-1"}
	defects = []string{
		"", "", "", "", "", "", "", "half of the keys", "byte order mark", "directory", "broken line", "relative path",
		"half of a profile", "wrong section", "proxy", "metadata off", "default profile", "another tool's login",
	}
)

const perKind = 3 // how many users, roles, SSO users and subjects there are

// random returns a random state.
func random(r *rand.Rand) state {
	s := state{profiles: map[string]profile{}, keys: -1, webIdentity: -1, login: -1}
	for range 3 {
		for _, change := range changes {
			change.make(r, &s)
		}
	}
	s.keys, s.webIdentity, s.defect = -1, -1, ""
	return s
}

// change is a kind of change. If file isn't empty, it can happen while the file is read.
type change struct {
	kind, file string
	make       func(r *rand.Rand, s *state)
}

var changes = []change{
	{"environment", "", func(r *rand.Rand, s *state) {
		switch r.IntN(8) {
		case 0:
			s.keys = -1
			if r.IntN(3) == 0 {
				s.keys = person(r)
			}
		case 1, 2:
			s.profile = pick(r, append([]string{"", ""}, names...))
		case 3, 4:
			s.region = pick(r, regions)
		case 5:
			s.webIdentity, s.token = -1, r.IntN(2)
			if r.IntN(3) == 0 {
				s.webIdentity = person(r)
			}
		case 6:
			s.container = r.IntN(3) == 0
		case 7:
			s.moved, s.tilde = r.IntN(2) == 0, r.IntN(2) == 0
		}
	}},
	{"target", "", func(r *rand.Rand, s *state) { s.target = person(r) }},
	{"config", "config", func(r *rand.Rand, s *state) { changeProfile(r, s, false) }},
	{"credentials", "credentials", func(r *rand.Rand, s *state) { changeProfile(r, s, true) }},
	{"map", "map", func(r *rand.Rand, s *state) {
		s.ownMap = entry{pick(r, entries), pick(r, names), person(r), r.IntN(2)}
	}},
	{"token", "token", func(r *rand.Rand, s *state) { s.tokens[r.IntN(2)] = personOrNone(r) }},
	{"SSO", "sso", func(r *rand.Rand, s *state) { s.sso[r.IntN(2)] = personOrNone(r) }},
	{"login", "login", func(r *rand.Rand, s *state) { s.login = personOrNone(r) }},
	{"defect", "", func(r *rand.Rand, s *state) { s.defect = pick(r, defects) }},
}

// person returns the number of a principal, most often one of the first partition.
func person(r *rand.Rand) int { return []int{0, 0, 0, 1, 1, 1, 2}[r.IntN(7)] }

// personOrNone returns the number of a principal or, in one of six cases, -1.
func personOrNone(r *rand.Rand) int {
	if r.IntN(6) == 0 {
		return -1
	}
	return person(r)
}

func pick(r *rand.Rand, of []string) string { return of[r.IntN(len(of))] }

// changeProfile changes a profile in a file, most often one that is used.
func changeProfile(r *rand.Rand, s *state, inCredentials bool) {
	name := pick(r, names)
	if chain := s.chain(); len(chain) > 0 && r.IntN(3) > 0 {
		name = pick(r, chain)
	}
	s.profiles[name] = profile{
		kind: pick(r, kinds), user: person(r), role: person(r), source: pick(r, names),
		token: r.IntN(2), session: r.IntN(2), inCredentials: inCredentials,
		quoted: strings.Contains(name, " ") && r.IntN(2) == 0, hasRegion: r.IntN(4) == 0,
	}
}

// chain returns the names of the profiles that are used.
func (s *state) chain() []string {
	name := s.profile
	if s.ownMap.kind == "profile" || s.ownMap.kind == "profile and role" {
		name = s.ownMap.profile
	}
	if name == "" {
		name = "default"
	}
	var chain []string
	for !slices.Contains(chain, name) {
		chain = append(chain, name)
		if s.profiles[name].kind != "role" {
			break
		}
		name = s.profiles[name].source
	}
	return chain
}

func (s *state) clone() state {
	c := *s
	c.profiles = map[string]profile{}
	for name, p := range s.profiles {
		c.profiles[name] = p
	}
	return c
}

// fromMap reports whether the map names a profile, or a web identity token, instead of the SDK's
// own chain.
func (s *state) fromMap() (profile, token bool) {
	if s.torn == "map" {
		return false, false
	}
	return s.ownMap.kind == "profile" || s.ownMap.kind == "profile and role", s.ownMap.kind == "web identity"
}

// usesProfile reports whether the credentials come from a profile.
func (s *state) usesProfile() bool {
	profile, token := s.fromMap()
	return !token && (profile || s.keys < 0 && s.webIdentity < 0)
}

// refuses reports whether a get must refuse the state because it is ambiguous, and whether it may.
func (s *state) refuses() (must, may bool) {
	mapProfile, mapToken := s.fromMap()
	usesProfile := s.usesProfile()
	switch s.defect {
	case "half of the keys":
		must = !mapProfile && !mapToken && s.keys < 0 && s.profile == ""
	case "byte order mark", "directory", "broken line", "relative path":
		// The helper hides unused files from the SDK, which may then miss the profile that is
		// named.
		return usesProfile, true
	case "half of a profile":
		return usesProfile && len(s.chain()) > 0 && s.profiles[s.chain()[0]].kind == "nothing", true
	case "wrong section", "metadata off":
		return false, true
	case "default profile":
		must = usesProfile && !mapProfile && s.profile == ""
	case "proxy": // a cached token is served
		may = true
	}
	return must, must || may
}
