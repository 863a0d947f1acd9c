// Package registry reads and writes the host names of Amazon ECR registries. It uses no network,
// no environment and no regular expressions.
package registry

import "strings"

// Registry is an ECR registry as its host name describes it. The zero value is not a registry. Two
// hosts that name the same registry and the same endpoint have equal Registries, so they can be
// compared and used as map keys.
type Registry struct {
	// Public is set for Amazon ECR Public. Account, Region and FIPS are then empty: there is one
	// public registry for the whole world.
	Public bool
	// Account is the registry ID: twelve digits.
	Account string
	// Region is the AWS region that holds the registry, such as "ap-south-1".
	Region string
	// FIPS and DualStack say which endpoint the host belongs to. That endpoint issues its tokens.
	FIPS, DualStack bool
}

const (
	publicHost          = "public.ecr.aws"
	publicDualStackHost = "ecr-public.aws.com"

	// PublicRegion is the region whose endpoint issues the tokens of Amazon ECR Public:
	// https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html
	PublicRegion = "us-east-1"

	accountDigits = 12
)

// variants are the kinds of private registry hosts. Each kind has an endpoint of its own.
var variants = [...]Registry{{}, {FIPS: true}, {DualStack: true}, {FIPS: true, DualStack: true}}

// Parse returns the registry that server names. It takes what container clients send: white space
// around it, "https://" or "http://", a port, a path, any case. It returns false for everything
// that isn't an ECR host. [Registry.Host] returns the same host in its canonical form.
func Parse(server string) (Registry, bool) {
	address, ok := ParseAddress(server)
	if !ok {
		return Registry{}, false
	}
	return parseHost(address.Host)
}

// Of returns the registry with this [Registry.ID], [Registry.TokenRegion] and
// [Registry.EndpointVariant], and false if there is none.
func Of(id, region, variant string) (Registry, bool) {
	r := Registry{Account: id, Region: region}
	if strings.HasPrefix(variant, "public") {
		r = Registry{Public: true}
	}
	r.FIPS = strings.Contains(variant, "-fips")
	r.DualStack = strings.Contains(variant, "-dualstack")
	parsed, ok := Parse(r.Host())
	if !ok || parsed != r || r.ID() != id || r.TokenRegion() != region || r.EndpointVariant() != variant {
		return Registry{}, false
	}
	return r, true
}

// Host returns the canonical host name: lower case, no scheme, no port. It is empty for a dual-stack
// host of a partition that has none.
func (r Registry) Host() string {
	switch {
	case r.Public && r.DualStack:
		return publicDualStackHost
	case r.Public:
		return publicHost
	}
	return partitionOf(r.Region).host(r)
}

// service returns the part of a private registry's host between account and region.
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

// ID returns the registry ID: the account, or "public".
func (r Registry) ID() string {
	if r.Public {
		return "public"
	}
	return r.Account
}

// EndpointVariant returns which of a region's endpoints issues the registry's tokens: "ecr",
// "ecr-fips", "ecr-dualstack", "ecr-fips-dualstack", "public" or "public-dualstack".
func (r Registry) EndpointVariant() string {
	variant := "ecr"
	if r.Public {
		variant = "public"
	}
	if r.FIPS {
		variant += "-fips"
	}
	if r.DualStack {
		variant += "-dualstack"
	}
	return variant
}

// TokenRegion returns the region whose endpoint issues the registry's tokens.
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
	for _, r := range variants {
		after, ok := strings.CutPrefix(rest, r.service()+".")
		r.Account = account
		r.Region, _, _ = strings.Cut(after, ".")
		// Writing the host back checks that the suffix is that of the region's partition.
		if ok && IsAccount(account) && isRegion(r.Region) && r.Host() == host {
			return r, true
		}
	}
	return Registry{}, false
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// IsAccount reports whether s has the form of an account ID: twelve digits.
func IsAccount(s string) bool { return len(s) == accountDigits && isDigits(s) }
