package awstest

import (
	"regexp"
	"strings"
)

// An endpoint is what the host name of an endpoint means. The zero endpoint is the plain one, which
// has every service in every region.
type endpoint struct {
	host, service, region string
}

// A partition has the DNS names of the SDK's partitions.json, and those of ECR's registries if AWS
// documents them.
type partition struct {
	name         string
	regions      *regexp.Regexp
	dns          string
	dual         string
	dualRegistry string // "" if there is none, or none is documented
}

var partitions = []partition{
	{"aws", regions(`(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+`), "amazonaws.com", "api.aws", "on.aws"},
	{"aws-us-gov", regions(`us-gov-\w+-\d+`), "amazonaws.com", "api.aws", "on.aws"},
	{"aws-cn", regions(`cn-\w+-\d+`), "amazonaws.com.cn", "api.amazonwebservices.com.cn", "on.amazonwebservices.com.cn"},
	{"aws-eusc", regions(`eusc-de-\w+-\d+`), "amazonaws.eu", "api.amazonwebservices.eu", "on.amazonwebservices.eu"},
	{"aws-iso", regions(`us-iso-\w+-\d+`), "c2s.ic.gov", "api.aws.ic.gov", ""},
	{"aws-iso-b", regions(`us-isob-\w+-\d+`), "sc2s.sgov.gov", "api.aws.scloud", ""},
	{"aws-iso-e", regions(`eu-isoe-\w+-\d+`), "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", ""},
	{"aws-iso-f", regions(`us-isof-\w+-\d+`), "csp.hci.ic.gov", "api.aws.hci.ic.gov", ""},
}

func regions(pattern string) *regexp.Regexp { return regexp.MustCompile("^" + pattern + "$") }

func partitionOf(region string) (partition, bool) {
	for _, p := range partitions {
		if p.regions.MatchString(region) {
			return p, true
		}
	}
	return partition{}, false
}

// The names before the region, by the partition's DNS suffix: the usual one, or the one for
// dual-stack. ecr-fips with the usual one is the name in older SDKs and in AWS's reference.
var (
	ordinaryNames = map[string]string{
		"api.ecr": "ecr", "api.ecr-fips": "ecr", "ecr-fips": "ecr",
		"api.ecr-public": "ecr-public",
		"sts":            "sts", "sts-fips": "sts",
		"portal.sso": "sso", "portal.sso-fips": "sso",
		"oidc": "sso-oidc", "oidc-fips": "sso-oidc",
		"signin": "signin", "signin-fips": "signin",
	}
	dualNames = map[string]string{
		"ecr": "ecr", "ecr-fips": "ecr",
		"ecr-public": "ecr-public",
		"sts":        "sts", "sts-fips": "sts",
		"portal.sso": "sso", "portal.sso-fips": "sso",
		"oidc": "sso-oidc", "oidc-fips": "sso-oidc",
		"signin": "signin", "signin-fips": "signin",
	}
	// The sign-in service has the region before these names.
	signinNames = map[string]bool{
		"oauth.signin.aws":                 true,
		"signin.aws.amazon.com":            true,
		"signin.amazonaws.cn":              true,
		"signin.amazonaws-us-gov.com":      true,
		"signin-fips.amazonaws-us-gov.com": true,
		"signin.amazonaws-eusc.eu":         true,
		"signin.c2shome.ic.gov":            true,
		"signin.sc2shome.sgov.gov":         true,
		"signin.csphome.hci.ic.gov":        true,
		"signin.csphome.adc-e.uk":          true,
	}
)

// locate returns the service and the region of a host; false if it isn't a host of a known service.
func locate(host string) (endpoint, bool) {
	if host == "sts.amazonaws.com" {
		return endpoint{host, "sts", "us-east-1"}, true
	}
	if region, rest, _ := strings.Cut(host, "."); signinNames[rest] {
		_, ok := partitionOf(region)
		return endpoint{host, "signin", region}, ok
	}
	for _, p := range partitions {
		for _, n := range []struct {
			suffix   string
			services map[string]string
		}{{p.dns, ordinaryNames}, {p.dual, dualNames}} {
			name, ok := strings.CutSuffix(host, "."+n.suffix)
			dot := strings.LastIndexByte(name, '.')
			if !ok || dot < 0 || !p.regions.MatchString(name[dot+1:]) {
				continue
			}
			e := endpoint{host, n.services[name[:dot]], name[dot+1:]}
			if e.service == "ecr-public" && e.region != "us-east-1" {
				continue
			}
			return e, e.service != ""
		}
	}
	return endpoint{}, false
}

// isInDNS reports whether AWS has the name. The SDK's rules make FIPS names in every region. See
// https://aws.amazon.com/compliance/fips/
func (e endpoint) isInDNS() bool {
	return !strings.Contains(e.host, "-fips.") || strings.HasPrefix(e.region, "us-") || strings.HasPrefix(e.region, "ca-")
}

// knows reports whether a principal exists at the endpoint. Partitions share none.
func (e endpoint) knows(arn string) bool {
	p, ok := partitionOf(e.region)
	return !ok || strings.HasPrefix(arn, "arn:"+p.name+":")
}

// A registry is what the host name of a registry says. The public registry has no account.
type registry struct {
	account, region string
}

var registryName = regexp.MustCompile(`^(\d{12})\.dkr(\.|-)ecr(?:-fips)?\.([a-z0-9-]+)\.(.+)$`)

func parseRegistry(host string) (registry, bool) {
	if host == "public.ecr.aws" || host == "ecr-public.aws.com" {
		return registry{region: "us-east-1"}, true
	}
	m := registryName.FindStringSubmatch(host)
	if m == nil {
		return registry{}, false
	}
	p, ok := partitionOf(m[3])
	suffix := p.dns
	if m[2] == "-" {
		suffix = p.dualRegistry
	}
	return registry{m[1], m[3]}, ok && m[4] == suffix
}
