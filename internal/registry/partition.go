package registry

import "strings"

// partition is a closed part of AWS: its regions share a prefix and its hosts
// the suffixes. From the SDK's partition table and AWS's list of ECR endpoints:
// https://docs.aws.amazon.com/general/latest/gr/ecr.html
type partition struct {
	id              string // as in ARNs
	regionPrefix    string
	suffix          string
	dualStackSuffix string // empty where no dual-stack registry host is known
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

// isRegion tells whether s has the form all regions have: a short area, one or
// more words, a number, joined by hyphens.
func isRegion(s string) bool {
	const longest = 32
	if len(s) > longest {
		return false
	}
	words := strings.Split(s, "-")
	if len(words) < 3 {
		return false
	}
	number := words[len(words)-1]
	if len(number) > 2 || !isDigits(number) {
		return false
	}
	for _, word := range words[:len(words)-1] {
		if len(word) < 2 || !isLetters(word) {
			return false
		}
	}
	return true
}

func isLetters(s string) bool {
	for _, c := range []byte(s) {
		if c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}
