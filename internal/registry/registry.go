// Package registry reads and writes the host names of Amazon ECR registries.
//
// It is pure: no network, no environment, no regular expressions. Whatever
// [Parse] accepts, [Registry.Host] writes back in its canonical form, and that
// form parses to an equal Registry.
package registry

import "strings"

// Registry is an ECR registry as its host name describes it. The zero value is
// no registry. Two hosts that name the same registry by the same endpoint
// flavour have equal Registries, so it can be compared and used as a map key.
type Registry struct {
	// Public is true for Amazon ECR Public. Account, Region, and FIPS are then
	// empty: there is one public registry for the whole world.
	Public bool
	// Account is the registry ID: twelve digits.
	Account string
	// Region is the AWS region that holds the registry, such as "ap-south-1".
	Region string
	// FIPS and DualStack say which endpoint the host belongs to, and so which
	// one its token is asked of.
	FIPS, DualStack bool
}

const (
	publicHost          = "public.ecr.aws"
	publicDualStackHost = "ecr-public.aws.com"

	// PublicRegion is where Amazon ECR Public hands out its tokens:
	// https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html
	PublicRegion = "us-east-1"

	accountDigits = 12
	// maxServer is more than a host (253) and a repository path (255) need;
	// nothing longer names a registry.
	maxServer = 1024
)

// Parse reads the registry that server names. It takes what container clients
// send: white space around it, "https://" or "http://", a port, a path, any
// case. The answer is false for everything that isn't an ECR host, however
// like one it looks; Parse never guesses.
func Parse(server string) (Registry, bool) {
	server = strings.TrimSpace(server)
	if len(server) > maxServer || strings.ContainsFunc(server, isNotPrintableASCII) {
		return Registry{}, false
	}
	server = trimScheme(server)
	host, path, _ := strings.Cut(server, "/")
	if strings.Contains(path, "://") {
		return Registry{}, false
	}
	if name, port, ok := strings.Cut(host, ":"); ok {
		if !isPort(port) {
			return Registry{}, false
		}
		host = name
	}
	return parseHost(strings.ToLower(host))
}

// Of is the inverse of [Registry.ID], Region and [Registry.Flavour]: the
// registry with this ID, whose tokens come from the region's endpoint of this
// flavour.
func Of(id, region, flavour string) (Registry, bool) {
	r := Registry{Account: id, Region: region}
	if strings.HasPrefix(flavour, "public") {
		r = Registry{Public: true}
	}
	r.FIPS = strings.Contains(flavour, "-fips")
	r.DualStack = strings.Contains(flavour, "-dualstack")
	parsed, ok := Parse(r.Host())
	if !ok || parsed != r || r.ID() != id || r.TokenRegion() != region || r.Flavour() != flavour {
		return Registry{}, false
	}
	return r, true
}

// Host is the canonical host name: lower case, no scheme, no port.
func (r Registry) Host() string {
	switch {
	case r.Public && r.DualStack:
		return publicDualStackHost
	case r.Public:
		return publicHost
	}
	p := partitionOf(r.Region)
	service, suffix := ".dkr.ecr", p.suffix
	if r.DualStack {
		service, suffix = ".dkr-ecr", p.dualStackSuffix
	}
	if r.FIPS {
		service += "-fips"
	}
	return r.Account + service + "." + r.Region + "." + suffix
}

// ID is the registry's name among those of one principal: the account, or
// "public".
func (r Registry) ID() string {
	if r.Public {
		return "public"
	}
	return r.Account
}

// Suffix is the domain the host ends with, which tells the AWS partition, such
// as "amazonaws.com.cn", or "on.aws" for a dual-stack host.
func (r Registry) Suffix() string {
	switch p := partitionOf(r.Region); {
	case r.Public:
		_, suffix, _ := strings.Cut(r.Host(), ".")
		return suffix
	case r.DualStack:
		return p.dualStackSuffix
	default:
		return p.suffix
	}
}

// Flavour names the endpoint that hands out the registry's tokens, apart from
// its region: "ecr", "ecr-fips", "ecr-dualstack", "ecr-fips-dualstack",
// "public" or "public-dualstack".
func (r Registry) Flavour() string {
	flavour := "ecr"
	if r.Public {
		flavour = "public"
	}
	if r.FIPS {
		flavour += "-fips"
	}
	if r.DualStack {
		flavour += "-dualstack"
	}
	return flavour
}

// TokenRegion is the region whose ECR endpoint hands out the registry's tokens.
func (r Registry) TokenRegion() string {
	if r.Public {
		return PublicRegion
	}
	return r.Region
}

func parseHost(host string) (Registry, bool) {
	switch host {
	case publicHost:
		return Registry{Public: true}, true
	case publicDualStackHost:
		return Registry{Public: true, DualStack: true}, true
	}
	account, rest, _ := strings.Cut(host, ".")
	if !isAccount(account) {
		return Registry{}, false
	}
	r := Registry{Account: account}
	switch {
	case cutPrefix(&rest, "dkr.ecr."):
	case cutPrefix(&rest, "dkr.ecr-fips."):
		r.FIPS = true
	case cutPrefix(&rest, "dkr-ecr."):
		r.DualStack = true
	case cutPrefix(&rest, "dkr-ecr-fips."):
		r.FIPS, r.DualStack = true, true
	default:
		return Registry{}, false
	}
	r.Region, _, _ = strings.Cut(rest, ".")
	// Writing the host back is the check: it holds the one suffix that the
	// region's partition has.
	if !isRegion(r.Region) || r.Suffix() == "" || r.Host() != host {
		return Registry{}, false
	}
	return r, true
}

func cutPrefix(s *string, prefix string) bool {
	rest, ok := strings.CutPrefix(*s, prefix)
	*s = rest
	return ok
}

func trimScheme(s string) string {
	for _, scheme := range []string{"https://", "http://"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			return s[len(scheme):]
		}
	}
	return s
}

// isNotPrintableASCII also keeps out the letters that only become ASCII when
// their case is folded, such as the Kelvin sign.
func isNotPrintableASCII(c rune) bool { return c <= ' ' || c >= 0x7f }

func isDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

func isAccount(s string) bool { return len(s) == accountDigits && isDigits(s) }

func isPort(s string) bool { return len(s) <= len("65535") && isDigits(s) }
