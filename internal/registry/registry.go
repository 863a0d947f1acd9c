// Package registry reads and writes the host names of Amazon ECR registries.
//
// It is pure: no network, no environment, no regular expressions. Whatever
// [Parse] accepts, [Registry.Host] writes back in its canonical form, and that
// form parses to an equal Registry.
package registry

import "strings"

// Registry is an ECR registry as its host name describes it. The zero value is
// no registry. Two hosts that name the same registry by the same endpoint
// endpoint variant have equal Registries, so it can be compared and used as a map key.
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
)

// Parse reads the registry that server names. It takes what container clients
// send: white space around it, "https://" or "http://", a port, a path, any
// case. The answer is false for everything that isn't an ECR host, however
// like one it looks; Parse never guesses.
func Parse(server string) (Registry, bool) {
	address, ok := ParseAddress(server)
	if !ok {
		return Registry{}, false
	}
	return parseHost(address.Host)
}

// Of is the inverse of [Registry.ID], Region and [Registry.EndpointVariant]: the
// registry with this ID, whose tokens come from the region's endpoint of this
// endpoint variant.
func Of(id, region, flavour string) (Registry, bool) {
	r := Registry{Account: id, Region: region}
	if strings.HasPrefix(flavour, "public") {
		r = Registry{Public: true}
	}
	r.FIPS = strings.Contains(flavour, "-fips")
	r.DualStack = strings.Contains(flavour, "-dualstack")
	parsed, ok := Parse(r.Host())
	if !ok || parsed != r || r.ID() != id || r.TokenRegion() != region || r.EndpointVariant() != flavour {
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
	suffix := p.suffix
	if r.DualStack {
		suffix = p.dualStackSuffix
	}
	return r.Account + "." + r.service() + "." + r.Region + "." + suffix
}

// service is the part of a private registry's host between account and region.
func (r Registry) service() string {
	service := "dkr.ecr"
	if r.DualStack {
		service = "dkr-ecr"
	}
	if r.FIPS {
		service += "-fips"
	}
	return service
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

// EndpointVariant names the endpoint that hands out the registry's tokens, apart from
// its region: "ecr", "ecr-fips", "ecr-dualstack", "ecr-fips-dualstack",
// "public" or "public-dualstack".
func (r Registry) EndpointVariant() string {
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
	if !IsAccount(account) {
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

func isDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// IsAccount tells whether s has the form of an account ID: twelve digits.
func IsAccount(s string) bool { return len(s) == accountDigits && isDigits(s) }
