package sharedconfig

import (
	"maps"
	"slices"
	"strings"
)

// Profiles are the profiles of both files, by name.
type Profiles map[string]*Profile

// Profile is one profile, with the values of both files.
type Profile struct {
	Name string
	// partial is set if one of the two files has half a pair of keys for it; the SDK then refuses
	// to use it.
	partial bool
	values  section
}

// Get returns the value of a key, or nothing.
func (p *Profile) Get(key string) string {
	if p == nil {
		return ""
	}
	return p.values[key].value
}

// Raw returns a value as it stands in the file, with its quotes.
func (p *Profile) Raw(key string) string { return p.values[key].raw }

// HasKeys reports whether the profile has an access key and its secret.
func (p *Profile) HasKeys() bool { return p.Get(keyID) != "" && p.Get(secretKey) != "" }

// HasHalfKeys reports whether the profile has an access key or its secret, and not both.
func (p *Profile) HasHalfKeys() bool {
	return p != nil && (p.partial || (p.Get(keyID) == "") != (p.Get(secretKey) == ""))
}

const (
	keyID     = "aws_access_key_id"
	secretKey = "aws_secret_access_key"
)

// mergedKeys are those for which the SDK takes the value of the credentials file, if the config
// file has the profile, too (config/shared_config.go, mergeSections). The keys come as a pair.
var mergedKeys = []string{
	"aws_session_token", "role_arn", "source_profile", "credential_source", "external_id", "mfa_serial",
	"role_session_name", "region", "credential_process", "web_identity_token_file",
	"ec2_metadata_service_endpoint", "ca_bundle", "sso_session", "sso_account_id", "sso_region",
	"sso_role_name", "sso_start_url", "login_session",
}

// Texts are the texts of the two files. They hold secrets.
type Texts struct{ Config, Credentials string }

// Profiles returns the profiles of the texts.
func (t Texts) Profiles() Profiles {
	profiles := Profiles{}
	for name, s := range profilesOf(t.Config, Config) {
		profiles[name] = &Profile{name, s.isPartial(), s}
	}
	for name, s := range profilesOf(t.Credentials, Credentials) {
		p := profiles[name]
		if p == nil {
			profiles[name] = &Profile{name, s.isPartial(), s}
			continue
		}
		p.partial = s.isPartial()
		keys := mergedKeys
		if s.has(keyID) && s.has(secretKey) {
			keys = append(slices.Clone(keys), keyID, secretKey)
		}
		for _, key := range keys {
			if s.has(key) {
				p.values[key] = s[key]
			}
		}
	}
	return profiles
}

func (s section) isPartial() bool { return s.has(keyID) != s.has(secretKey) }

// profilesOf returns the sections of a text that are profiles, by the profiles' names.
func profilesOf(text string, kind Kind) map[string]section {
	sections, _ := parse(text)
	profiles := map[string]section{}
	for name, s := range sections {
		bare, isProfile := strings.CutPrefix(name, "profile ")
		switch {
		case name == "", kind == Credentials && isProfile:
		case kind == Credentials:
			profiles[name] = s
		case isProfile: // wins over [default]
			profiles[bare] = s
		case sections["profile "+name] != nil:
		case strings.EqualFold(name, "default"), strings.HasPrefix(name, "sso-session "), strings.HasPrefix(name, "services "):
			profiles[name] = s // the SDK tells the last two apart from profiles by their names alone
		}
	}
	return profiles
}

// Chain returns the profiles from which the SDK takes the credentials of one: that itself, and then
// those that each names as its source_profile. Each has a role_arn that is assumed with the
// credentials of the next, and the last has credentials of its own. It is empty if there is no
// such profile, and ends early if a source_profile doesn't exist.
func (p Profiles) Chain(name string) []Profile {
	var chain []Profile
	seen := map[string]bool{}
	for {
		found := p[name]
		if found == nil {
			return chain
		}
		this := *found
		if seen[name] {
			// A profile that is its own source counts for its credentials.
			this = this.without("role_arn", "external_id", "mfa_serial", "role_session_name", "source_profile")
		}
		if len(seen) > 0 && this.HasKeys() {
			return append(chain, this.without("source_profile"))
		}
		next := this.Get("source_profile")
		if next == "" || len(chain) > len(p)+1 {
			return append(chain, this)
		}
		chain = append(chain, this.without(keyID, secretKey, "credential_source", "credential_process", "web_identity_token_file",
			"sso_account_id", "sso_region", "sso_role_name", "sso_start_url"))
		seen[name] = true
		name = next
	}
}

func (p Profile) without(keys ...string) Profile {
	p.values = maps.Clone(p.values)
	for _, key := range keys {
		delete(p.values, key)
	}
	return p
}
