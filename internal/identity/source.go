package identity

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/sharedconfig"
)

// What holds the credentials, as far as a profile can name it or a message needs it.
const (
	environmentKeys      = "environment keys"
	containerCredentials = "container credentials"
	instanceMetadata     = "instance metadata"
	credentialProcess    = "credential process"
	nowhere              = "nowhere, as AWS_EC2_METADATA_DISABLED is true"
)

// Source is where the SDK's chain finds the credentials.
type Source struct {
	// Used are the inputs that are no part of the AWS configuration.
	Used Used
	// FromProfile is set if a profile decides, even one that doesn't exist.
	FromProfile bool
	// hops are the roles and profiles on the way to the credentials, and then what holds these.
	hops []string
	// profile is the last of the profiles.
	profile string
}

// SourceOf returns where the chain finds the credentials of a principal: with the first candidate
// that has some.
func SourceOf(env config.Env, shared sharedconfig.Profiles, asked registrymap.Principal) Source {
	s := Source{profile: ProfileOf(env, asked.Profile)}
	if asked.RoleARN != "" {
		s.hops = []string{asked.RoleARN}
	}
	switch {
	case asked.WebIdentityToken != "":
		s.hops = append(s.hops, strings.TrimSpace("service account "+Bearer(asked.WebIdentityToken)))
		return s
	case asked.HasWebIdentity():
		s.hops = append(s.hops, "web identity of the map")
		if asked.WebIdentityTokenFile != "" {
			s.Used.TokenFiles = []string{asked.WebIdentityTokenFile}
		}
		return s
	}
	for _, c := range candidates(env, shared, asked) {
		if c.behind != "" {
			continue
		}
		if c.profile != "" {
			s.profile, s.FromProfile = c.profile, true
		}
		s.hops, s.Used = append(s.hops, c.hops...), c.used
		if c.hasCredentials {
			break
		}
	}
	return s
}

// String returns the hops, for people.
func (s Source) String() string { return strings.Join(s.hops, ", ") }

func (s Source) last() string {
	if len(s.hops) == 0 {
		return ""
	}
	return s.hops[len(s.hops)-1]
}

// Name returns what holds the credentials, for messages.
func (s Source) Name() string {
	switch s.last() {
	case environmentKeys:
		return "the environment (AWS_ACCESS_KEY_ID)"
	case instanceMetadata:
		return "the instance metadata service"
	case containerCredentials:
		return "the container credentials endpoint"
	case credentialProcess:
		return "the credential_process of profile " + s.profile
	}
	return "profile " + s.profile
}

// candidate is one of the places in which the SDK's chain looks for credentials.
type candidate struct {
	name string
	// found says what of it is there, empty if nothing is; whyNot then says why.
	found, whyNot string
	// behind names the candidate in whose favour this one is never looked at.
	behind string
	// hops and used are its part of the [Source]. The chain ends at the first that has credentials.
	hops           []string
	used           Used
	hasCredentials bool
	// profile is the last of the profiles if the candidate is one.
	profile string
}

// has sets what is found of a candidate that holds the credentials itself.
func (c *candidate) has(found string, used Used) {
	c.found, c.hops, c.used, c.hasCredentials = found, []string{c.name}, used, true
}

// candidates lists where the SDK's chain looks for credentials, in the order of the SDK's config
// package (resolve_credentials.go).
func candidates(env config.Env, shared sharedconfig.Profiles, asked registrymap.Principal) []candidate {
	keys := candidate{name: environmentKeys, whyNot: "AWS_ACCESS_KEY_ID isn't set"}
	switch {
	case HasKeys(env):
		keys.has("AWS_ACCESS_KEY_ID is set", Used{})
	case env.Get("AWS_ACCESS_KEY_ID") != "":
		keys.whyNot = "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY isn't"
	}
	token := candidate{name: "web identity of the environment", whyNot: "AWS_WEB_IDENTITY_TOKEN_FILE isn't set"}
	if file := env.Get("AWS_WEB_IDENTITY_TOKEN_FILE"); file != "" {
		token.has("AWS_WEB_IDENTITY_TOKEN_FILE is set", Used{TokenFiles: []string{file}})
	} else if env.Get("AWS_ROLE_ARN") != "" {
		token.whyNot = "AWS_ROLE_ARN is set, but counts only beside AWS_WEB_IDENTITY_TOKEN_FILE, which isn't set (AWS_ECR_ROLE_ARN names a role to assume)"
	}
	container := candidate{name: containerCredentials, whyNot: "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set"}
	if env.Get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" || env.Get("AWS_CONTAINER_CREDENTIALS_FULL_URI") != "" {
		container.has("AWS_CONTAINER_CREDENTIALS_… is set", Used{Container: true})
	}
	metadata := candidate{name: instanceMetadata, whyNot: "AWS_EC2_METADATA_DISABLED is true", hops: []string{nowhere}}
	if !isMetadataDisabled(env) {
		metadata.has("the instance may have a role", Used{Metadata: true})
	}
	profile := profileCandidate(env, shared, ProfileOf(env, asked.Profile))
	if asked.Profile != "" {
		keys.behind, token.behind = profile.name, profile.name
		return []candidate{profile, keys, token, container, metadata}
	}
	return []candidate{keys, token, profile, container, metadata}
}

func profileCandidate(env config.Env, shared sharedconfig.Profiles, name string) candidate {
	c := candidate{name: "profile " + name, profile: name}
	chain := shared.Chain(name)
	for _, p := range chain {
		c.profile = p.Name
		c.hops = append(c.hops, "profile "+p.Name)
		if role := p.Get("role_arn"); role != "" {
			c.hops = append(c.hops, role)
		}
	}
	if len(chain) == 0 {
		return c
	}
	hop, used := credentialsOf(env, &chain[len(chain)-1])
	if hop != "" {
		c.hops, c.used, c.hasCredentials = append(c.hops, hop), used, true
	}
	var keys []string
	for _, key := range []string{
		"role_arn", "source_profile", "aws_access_key_id", "credential_source", "web_identity_token_file",
		"sso_session", "sso_start_url", "login_session", "credential_process",
	} {
		if shared[name].Get(key) != "" {
			keys = append(keys, key)
		}
	}
	c.whyNot = "it has no credentials"
	if len(keys) > 0 {
		c.found = "it has " + strings.Join(keys, ", ")
	}
	return c
}

// credentialsOf returns where a profile without a source_profile has its credentials and the
// inputs of those, empty if it has none.
func credentialsOf(env config.Env, p *sharedconfig.Profile) (hop string, used Used) {
	switch from := p.Get("credential_source"); {
	case p.HasKeys():
		return "keys", Used{}
	case from == "Environment":
		return environmentKeys, Used{}
	case from == "EcsContainer":
		return containerCredentials, Used{Container: true}
	case from != "" && isMetadataDisabled(env):
		return nowhere, Used{}
	case from != "":
		return instanceMetadata, Used{Metadata: true}
	case p.Get("web_identity_token_file") != "":
		return "web identity", Used{TokenFiles: []string{p.Get("web_identity_token_file")}}
	case p.Get("sso_session") != "" || p.Get("sso_start_url") != "" || p.Get("sso_region") != "" || p.Get("sso_account_id") != "" || p.Get("sso_role_name") != "":
		return "SSO", Used{Logins: true}
	case p.Get("login_session") != "":
		return "aws login", Used{Logins: true}
	case p.Get("credential_process") != "":
		return credentialProcess, Used{}
	}
	return "", Used{}
}

// Skipped returns, a line each and in the order of the chain, why the credentials don't come from
// the other candidates. It is given what the identity was read of.
func (id Identity) Skipped(env config.Env, home string, asked registrymap.Principal) []string {
	if asked.HasWebIdentity() {
		return []string{"all else: the registry map names a web identity token, which takes its place"}
	}
	shared := id.Shared.Profiles()
	source := SourceOf(env, shared, asked)
	var skipped []string
	chosen := ""
	for _, c := range candidates(env, shared, asked) {
		switch first := cmp.Or(chosen, c.behind); {
		case c.found == "" && chosen == "":
			skipped = append(skipped, c.name+": "+cmp.Or(c.whyNot, whyNoProfile(env, FilesOf(env, home))))
		case c.found == "":
		case first == "":
			chosen = c.name
		case c.name != source.last(): // which the profile names
			skipped = append(skipped, fmt.Sprintf("%s: %s, but the chain looks for %s first", c.name, c.found, first))
		}
	}
	return skipped
}

// whyNoProfile says why a profile doesn't exist.
func whyNoProfile(env config.Env, files Files) string {
	if files.Config == "" && files.Credentials == "" {
		return "there is no home to find ~/.aws in"
	}
	why := fmt.Sprintf("it is neither in %s nor in %s", files.Config, files.Credentials)
	for _, file := range []string{files.Config, files.Credentials} {
		isNamed := file == env.Get("AWS_CONFIG_FILE") || file == env.Get("AWS_SHARED_CREDENTIALS_FILE")
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) && file != "" && isNamed {
			why = file + ", which a variable names, doesn't exist"
		}
		if _, err := os.Lstat(file); errors.Is(err, fs.ErrPermission) {
			why = fmt.Sprintf("%s is skipped: this user (%d) can't read a directory above it", file, os.Geteuid())
		}
	}
	return why
}

// ProfileOf returns the name of the profile that is chosen, by the map or else by the environment.
func ProfileOf(env config.Env, asked string) string {
	return cmp.Or(asked, env.Get("AWS_PROFILE"), env.Get("AWS_DEFAULT_PROFILE"), "default")
}

// HasKeys reports whether the environment holds an access key and its secret.
func HasKeys(env config.Env) bool {
	id, secret := keysOf(env)
	return id != "" && secret != ""
}

// MissingKey returns the variable of the access key that isn't set while the other is, or nothing.
func MissingKey(env config.Env) string {
	switch id, secret := keysOf(env); {
	case id != "" && secret == "":
		return "AWS_SECRET_ACCESS_KEY"
	case id == "" && secret != "":
		return "AWS_ACCESS_KEY_ID"
	}
	return ""
}

// keysOf returns the access key of the environment and its secret, by the names that the SDK knows.
func keysOf(env config.Env) (id, secret string) {
	return cmp.Or(env.Get("AWS_ACCESS_KEY_ID"), env.Get("AWS_ACCESS_KEY")),
		cmp.Or(env.Get("AWS_SECRET_ACCESS_KEY"), env.Get("AWS_SECRET_KEY"))
}

// isMetadataDisabled reports whether the environment turns the instance metadata service off.
func isMetadataDisabled(env config.Env) bool {
	return strings.EqualFold(env.Get("AWS_EC2_METADATA_DISABLED"), "true")
}
