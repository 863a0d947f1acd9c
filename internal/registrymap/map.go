// Package registrymap reads the registry map: whom AWS is asked as for which registry, and which
// other hosts stand for one.
//
// It is on the path of a warm get and so imports nothing of the AWS SDK.
package registrymap

import (
	"errors"
	"fmt"
	"slices"

	"docker-credential-ecr-login/internal/registry"
)

// Map says for registries whom AWS is asked as, and which other hosts stand for
// one. The zero Map says nothing of any. It is read from a file of TOML, which
// docs/registry-map.md describes.
type Map struct {
	// Others is the principal for the private registries that no entry matches.
	// OthersErr tells why there can be none.
	Default    Principal
	DefaultErr error

	file    string
	entries []entry
}

// entry is a [[registry]] of the map. What is in the file is checked already.
type entry struct {
	line int

	// Whose entry it is: either a host, in lower case, or accounts and regions.
	host              string
	accounts, regions []string
	aliasOf           string

	principal   Principal
	profileLine int

	// What the host is found to be, one of the three.
	registry registry.Registry
	pattern  registry.Pattern
	alias    registry.Address // of registry
}

// Target is what a server stands for.
type Target struct {
	// Host is the server's name, without what clients put around it.
	Host string
	// Registry is the one whose token is wanted.
	Registry registry.Registry
	// Principal is whom AWS is asked as, and Where the place that says so, for
	// messages; empty where nothing does.
	Principal Principal
	Where     string
	// Refusal tells why no token may go there, where that is so.
	Refusal error
}

// errPlainHTTP is for aliases. ECR itself doesn't listen there.
var errPlainHTTP = errors.New("it was asked for over plain http, where the token could be read on the way; ask for it over https")

// Find returns what a server stands for, false for hosts that are neither ECR's
// nor an alias. The first entry that matches counts.
func (m *Map) Find(server string) (Target, bool) {
	if r, ok := registry.Parse(server); ok {
		return m.target(r), true
	}
	address, ok := registry.ParseAddress(server)
	if !ok {
		return Target{}, false
	}
	for i := range m.entries {
		e := &m.entries[i]
		if e.aliasOf == "" || !serves(e.alias, address) {
			continue
		}
		t := m.target(e.registry)
		if e.principal != (Principal{}) {
			t = m.targetOf(e, e.registry)
		}
		t.Host = e.host
		if address.PlainHTTP {
			t.Refusal = errPlainHTTP
		}
		return t, true
	}
	return Target{}, false
}

// serves tells whether an alias is the one asked for. Another port of the same
// host is somebody else's.
func serves(alias, asked registry.Address) bool {
	port := func(a registry.Address) string {
		if a.Port == "" {
			return "443"
		}
		return a.Port
	}
	return alias.Host == asked.Host && (asked.PlainHTTP || port(alias) == port(asked))
}

func (m *Map) target(r registry.Registry) Target {
	for i := range m.entries {
		if e := &m.entries[i]; e.aliasOf == "" && e.matches(r) {
			return m.targetOf(e, r)
		}
	}
	if r.Public {
		return Target{Host: r.Host(), Registry: r}
	}
	t := m.Own()
	t.Host, t.Registry = r.Host(), r
	return t
}

// Own is the target for the registry of the principal that no entry is about,
// whichever that turns out to be.
func (m *Map) Own() Target {
	t := Target{Host: "your own registry", Principal: m.Default, Refusal: m.DefaultErr}
	if m.Default != (Principal{}) {
		t.Where = RoleVariable
	}
	return t
}

// RoleVariable names the role for the private registries that no entry is about. It is the
// Where of their targets.
const RoleVariable = "AWS_ECR_ROLE_ARN"

func (m *Map) targetOf(e *entry, r registry.Registry) Target {
	line := e.line
	if e.profileLine > 0 {
		line = e.profileLine
	}
	return Target{
		Host:      r.Host(),
		Registry:  r,
		Principal: e.principal.in(r.Account),
		Where:     fmt.Sprintf("%s:%d", m.file, line),
	}
}

// matches tells whether the entry is for the registry. One of accounts and
// regions is, by whatever host name.
func (e *entry) matches(r registry.Registry) bool {
	switch {
	case e.pattern != "":
		return !r.Public && e.pattern.Matches(r)
	case e.host != "":
		return e.registry == r
	default:
		return slices.Contains(e.accounts, r.Account) && slices.Contains(e.regions, r.Region)
	}
}

// IsEmpty tells whether the map has no entry.
func (m *Map) IsEmpty() bool { return len(m.entries) == 0 }

// Hosts lists the hosts that the map names, or that its accounts and regions
// stand for.
func (m *Map) Hosts() []string {
	var hosts []string
	for _, e := range m.entries {
		if e.host != "" && e.pattern == "" {
			hosts = append(hosts, e.host)
		}
		for _, account := range e.accounts {
			for _, region := range e.regions {
				hosts = append(hosts, registry.Registry{Account: account, Region: region}.Host())
			}
		}
	}
	return hosts
}

// Glob is an entry that names no host, but a pattern of them.
type PatternEntry struct {
	Pattern   registry.Pattern
	Principal Principal
	Where     string
}

// Globs lists the entries that name no host.
func (m *Map) Patterns() []PatternEntry {
	var globs []PatternEntry
	for _, e := range m.entries {
		if e.pattern != "" {
			globs = append(globs, PatternEntry{e.pattern, e.principal.in(e.pattern.Account()), fmt.Sprintf("%s:%d", m.file, e.line)})
		}
	}
	return globs
}

// File is where the map was read, empty where there is none.
func (m *Map) File() string { return m.file }
