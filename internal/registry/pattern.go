package registry

import (
	"path"
	"strings"
)

// Pattern stands for the private registries whose host it matches: a "*" in it
// is any part of one label.
type Pattern string

// ParsePattern reads a pattern, in any case. It is false for one that no host of
// a private registry can match.
func ParsePattern(text string) (Pattern, bool) {
	text = strings.ToLower(text)
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-.*") != "" {
		return "", false
	}
	for _, p := range append(partitions[:], commercial) {
		for _, r := range []Registry{{}, {FIPS: true}, {DualStack: true}, {FIPS: true, DualStack: true}} {
			suffix := p.suffix
			if r.DualStack {
				suffix = p.dualStackSuffix
			}
			if suffix != "" && isPossible(text, strings.Split("."+r.service()+".."+suffix, "."), p) {
				return Pattern(text), true
			}
		}
	}
	return "", false
}

// isPossible tells whether a pattern can match hosts of a form: labels of which
// the first empty one is the account and the other the region.
func isPossible(pattern string, form []string, p partition) bool {
	labels := strings.Split(pattern, ".")
	if len(labels) != len(form) {
		return false
	}
	for i, label := range labels {
		known := strings.ReplaceAll(label, "*", "")
		open := known != label
		switch {
		case form[i] != "":
			if ok, _ := path.Match(label, form[i]); !ok {
				return false
			}
		case i == 0:
			if !IsAccount(label) && !(open && len(known) <= accountDigits && (known == "" || isDigits(known))) {
				return false
			}
		case !open && (!isRegion(label) || partitionOf(label) != p):
			return false
		}
	}
	return true
}

// Matches tells whether the registry's host matches the pattern.
func (p Pattern) Matches(r Registry) bool {
	ok, _ := path.Match(slashed(string(p)), slashed(r.Host()))
	return ok
}

// Account is the account the pattern is for, and empty where it leaves that open.
func (p Pattern) Account() string {
	if account, _, _ := strings.Cut(string(p), "."); IsAccount(account) {
		return account
	}
	return ""
}

// slashed makes the labels of a host the parts of a path.
func slashed(host string) string { return strings.ReplaceAll(host, ".", "/") }
