package registry

import (
	"path"
	"strings"
)

// Pattern is a pattern of private registries' hosts. A "*" in it matches any part of one label.
type Pattern string

// ParsePattern returns the pattern of a text in any case. It returns false for one that matches no
// possible host of a private registry.
func ParsePattern(text string) (Pattern, bool) {
	text = strings.ToLower(text)
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-.*") != "" {
		return "", false
	}
	for _, p := range append(partitions[:], commercial) {
		for _, r := range variants {
			form := p.host(r) // with an empty account and region
			if form != "" && isPossible(text, strings.Split(form, "."), p) {
				return Pattern(text), true
			}
		}
	}
	return "", false
}

// isPossible reports whether a pattern can match hosts of a form. In its labels, the first empty
// one stands for the account and the other for the region.
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

// Matches reports whether the registry's host matches the pattern.
func (p Pattern) Matches(r Registry) bool {
	ok, _ := path.Match(slashed(string(p)), slashed(r.Host()))
	return ok
}

// Account returns the account of the hosts that the pattern matches, empty if they can have several.
func (p Pattern) Account() string {
	if account, _, _ := strings.Cut(string(p), "."); IsAccount(account) {
		return account
	}
	return ""
}

// slashed returns a host as a path, so that path.Match matches a "*" within one label.
func slashed(host string) string { return strings.ReplaceAll(host, ".", "/") }
