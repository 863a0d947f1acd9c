package registry

import (
	"slices"
	"strings"
)

// partition is a closed part of AWS: its regions share a prefix, and its hosts the suffixes. They
// are from the SDK's partition table and AWS's list of ECR endpoints:
// https://docs.aws.amazon.com/general/latest/gr/ecr.html
type partition struct {
	id              string // as in ARNs
	regionPrefix    string
	suffix          string
	dualStackSuffix string // empty if no dual-stack registry host is known
}

var partitions = [...]partition{
	{"aws-cn", "cn-", "amazonaws.com.cn", "on.amazonwebservices.com.cn"},
	{"aws-eusc", "eusc-", "amazonaws.eu", "on.amazonwebservices.eu"},
	{"aws-iso", "us-iso-", "c2s.ic.gov", ""},
	{"aws-iso-b", "us-isob-", "sc2s.sgov.gov", ""},
	{"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", ""},
	{"aws-iso-f", "us-isof-", "csp.hci.ic.gov", ""},
}

// commercial also stands for us-gov, whose hosts have the same suffixes.
var commercial = partition{"aws", "", "amazonaws.com", "on.aws"}

// Partition returns the ID of the partition that a region is in, as it stands in ARNs: "aws",
// "aws-cn", "aws-us-gov" and so on. A region that has no known prefix is in "aws".
func Partition(region string) string {
	if strings.HasPrefix(region, "us-gov-") {
		return "aws-us-gov"
	}
	return partitionOf(region).id
}

func partitionOf(region string) partition {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.regionPrefix) {
			return p
		}
	}
	return commercial
}

// host returns the host of a private registry in the partition, or nothing if there can be none.
func (p partition) host(r Registry) string {
	suffix := p.suffix
	if r.DualStack {
		suffix = p.dualStackSuffix
	}
	if suffix == "" {
		return ""
	}
	return r.Account + "." + r.service() + "." + r.Region + "." + suffix
}

// isRegion reports whether s has the form of all regions: two or more words and a number of one or
// two digits, joined by hyphens.
func isRegion(s string) bool {
	words := strings.Split(s, "-")
	last := len(words) - 1
	if len(s) > 32 || last < 2 || len(words[last]) > 2 || !isDigits(words[last]) {
		return false
	}
	return !slices.ContainsFunc(words[:last], func(word string) bool {
		return len(word) < 2 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != ""
	})
}
