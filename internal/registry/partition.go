package registry

import "strings"

// partition is a closed part of AWS: its regions share a prefix and its hosts
// the suffixes. From the SDK's partition table and AWS's list of ECR endpoints:
// https://docs.aws.amazon.com/general/latest/gr/ecr.html
type partition struct {
	regionPrefix    string
	suffix          string
	dualStackSuffix string // empty where no dual-stack registry host is known
}

var partitions = [...]partition{
	{"cn-", "amazonaws.com.cn", "on.amazonwebservices.com.cn"},
	{"eusc-", "amazonaws.eu", "on.amazonwebservices.eu"},
	{"us-iso-", "c2s.ic.gov", ""},
	{"us-isob-", "sc2s.sgov.gov", ""},
	{"eu-isoe-", "cloud.adc-e.uk", ""},
	{"us-isof-", "csp.hci.ic.gov", ""},
}

// commercial also stands for us-gov, whose hosts have the same suffixes.
var commercial = partition{"", "amazonaws.com", "on.aws"}

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
