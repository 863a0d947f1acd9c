package identity

import (
	"maps"
	"slices"
	"strings"
)

// profiles holds the profiles of the AWS shared configuration: name, key,
// value. It is read only to tell where its credentials come from; the SDK reads it
// in earnest, and [Identity.Covers] checks that both have found the same.
type profiles map[string]map[string]string

// readProfiles reads the two files. A value in the credentials file wins, but a
// key counts only beside its secret.
func readProfiles(config, credentials string) profiles {
	merged := profiles{}
	for _, file := range []profiles{readFile(config, true), readFile(credentials, false)} {
		for name, profile := range file {
			if profile["aws_access_key_id"] == "" || profile["aws_secret_access_key"] == "" {
				delete(profile, "aws_access_key_id")
				delete(profile, "aws_secret_access_key")
			}
			if merged[name] == nil {
				merged[name] = profile
			}
			maps.Copy(merged[name], profile)
		}
	}
	return merged
}

// readFile reads one file. In a config file "[profile x]" is the profile x, in a
// credentials file "[x]" is.
func readFile(text string, isConfig bool) profiles {
	p := profiles{}
	var section map[string]string
	nested := false
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "", strings.HasPrefix(line, "#"), strings.HasPrefix(line, ";"):
			continue
		case strings.HasPrefix(trimmed, "["):
			section, nested = p.section(trimmed, isConfig), false
			continue
		case nested && line[0] != trimmed[0]:
			continue // an indented line below "key =" is a part of that value
		}
		key, value, ok := cutProperty(trimmed)
		if ok && section != nil {
			section[strings.ToLower(key)] = value
			nested = value == ""
		}
	}
	return p
}

// section returns the profile that a header begins, nil where it begins
// something else.
func (p profiles) section(header string, isConfig bool) map[string]string {
	name, _, _ := strings.Cut(header[1:], "]")
	name = strings.TrimSpace(name)
	if isConfig && !strings.EqualFold(name, "default") {
		blank := strings.IndexAny(name, " \t")
		if blank < 0 || name[:blank] != "profile" {
			return nil
		}
		name = strings.TrimSpace(name[blank:])
	}
	if p[name] == nil {
		p[name] = make(map[string]string)
	}
	return p[name]
}

// cutProperty cuts "key = value # comment" as the SDK does, which also takes a
// colon and drops quotes.
func cutProperty(line string) (key, value string, ok bool) {
	for _, mark := range []string{" #", " ;", "\t#", "\t;"} {
		line, _, _ = strings.Cut(line, mark)
	}
	i := strings.IndexAny(line, "=:")
	if i < 0 {
		return "", "", false
	}
	key, value = strings.TrimSpace(line[:i]), strings.TrimSpace(line[i+1:])
	for _, quote := range []string{`"`, `'`} {
		if len(value) > 1 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
			value = value[1 : len(value)-1]
		}
	}
	return key, value, true
}

// webIdentityFiles lists the token files that the shared configuration names,
// whatever section they stand in.
func webIdentityFiles(texts ...string) []string {
	var files []string
	for _, text := range texts {
		for line := range strings.Lines(text) {
			key, value, ok := cutProperty(strings.TrimSpace(line))
			if ok && strings.EqualFold(key, "web_identity_token_file") && !slices.Contains(files, value) {
				files = append(files, value)
			}
		}
	}
	slices.Sort(files)
	return files
}
