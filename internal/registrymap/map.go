// Package registrymap reads the registry map: the principals of registries, and the other hosts that
// stand for registries.
//
// It is on the path of a warm get and so imports nothing of the AWS SDK.
package registrymap

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"docker-credential-ecr-login/internal/registry"
)

// Map holds the principals of registries, and their aliases. The zero Map is empty.
// docs/registry-map.md describes the file of a map.
type Map struct {
	// Default is the principal for the private registries that no entry matches. DefaultErr says why
	// it can't be used.
	Default    Principal
	DefaultErr error

	file    string
	entries []*entry
}

// entry is a [[registry]] of the map.
type entry struct {
	line int

	// The registries it is for: either a host, in lower case, or accounts and regions.
	host              string
	accounts, regions []string
	aliasOf           string

	principal   Principal
	profileLine int

	// What the host stands for; an alias has an address and a registry.
	registry registry.Registry
	pattern  registry.Pattern
	alias    registry.Address
}

// Target is what a server stands for.
type Target struct {
	// Host is the server's host, without what clients put around it.
	Host string
	// Registry is the registry whose token is wanted.
	Registry registry.Registry
	// Principal is the principal to use, and Where the place that names it, for messages; empty if
	// nothing does.
	Principal Principal
	Where     string
	// Refusal says why no token may go there, nil if one may.
	Refusal error
}

// errPlainHTTP is for aliases. ECR itself doesn't listen on plain HTTP.
var errPlainHTTP = errors.New("it was asked for over plain http, where the token could be read on the way; ask for it over https")

// Find returns what a server stands for, and false for a host that is neither ECR's nor an alias.
// The first entry that matches counts.
func (m *Map) Find(server string) (Target, bool) {
	if r, ok := registry.Parse(server); ok {
		return m.target(r), true
	}
	address, ok := registry.ParseAddress(server)
	if !ok {
		return Target{}, false
	}
	for _, e := range m.entries {
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

// serves reports whether an alias is the requested server. Another port of the same host may belong
// to another service.
func serves(alias, requested registry.Address) bool {
	return alias.HostPort() == requested.HostPort() || requested.PlainHTTP && alias.Host == requested.Host
}

func (m *Map) target(r registry.Registry) Target {
	for _, e := range m.entries {
		if e.aliasOf == "" && e.matches(r) {
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

// Own returns the target for the default principal's own registry, which is unknown until AWS
// answers.
func (m *Map) Own() Target {
	t := Target{Host: "your own registry", Principal: m.Default, Refusal: m.DefaultErr}
	if m.Default != (Principal{}) {
		t.Where = RoleVariable
	}
	return t
}

// RoleVariable is the variable with the role for the private registries that no entry matches. It is
// the Where of their targets.
const RoleVariable = "AWS_ECR_ROLE_ARN"

func (m *Map) targetOf(e *entry, r registry.Registry) Target {
	return Target{
		Host:      r.Host(),
		Registry:  r,
		Principal: e.principal.in(r.Account),
		Where:     fmt.Sprintf("%s:%d", m.file, cmp.Or(e.profileLine, e.line)),
	}
}

// matches reports whether the entry is for the registry. An entry with accounts and regions is for
// all their endpoint variants.
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

// IsEmpty reports whether the map has no entry.
func (m *Map) IsEmpty() bool { return len(m.entries) == 0 }

// Hosts returns the hosts that the map names, and those of its accounts and regions.
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

// PatternEntry is an entry whose host is a pattern.
type PatternEntry struct {
	Pattern   registry.Pattern
	Principal Principal
	Where     string
}

// Patterns returns the entries whose host is a pattern.
func (m *Map) Patterns() []PatternEntry {
	var patterns []PatternEntry
	for _, e := range m.entries {
		if e.pattern != "" {
			where := fmt.Sprintf("%s:%d", m.file, e.line)
			patterns = append(patterns, PatternEntry{e.pattern, e.principal.in(e.pattern.Account()), where})
		}
	}
	return patterns
}

// File returns the file of the map, empty if there is none.
func (m *Map) File() string { return m.file }
