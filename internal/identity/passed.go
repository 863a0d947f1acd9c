package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/sharedconfig"
)

// place is one of those in which the SDK's chain looks for credentials, in words: what of it
// is there, empty where nothing is, and else why it isn't.
type place struct{ name, has, lacks string }

// Passed tells in words why the credentials don't come from the places of the SDK's chain
// that they don't come from, a line each, in the order of the chain.
func Passed(env config.Env, home string, asked registrymap.Principal) []string {
	if asked.HasWebIdentity() {
		return []string{"all else: the registry map names a web identity token, which takes its place"}
	}
	source := sourceOf(env, readShared(env, home), asked)
	var passed []string
	chosen := ""
	for _, p := range places(env, home, asked) {
		switch {
		case chosen != "" && p.name == "instance metadata" && source.used.Metadata: // it is what the profile names
		case chosen != "" && p.has != "":
			passed = append(passed, fmt.Sprintf("%s: %s, but the chain looks for %s first", p.name, p.has, chosen))
		case chosen != "":
		case p.has != "":
			chosen = p.name
		default:
			passed = append(passed, p.name+": "+p.lacks)
		}
	}
	return passed
}

func places(env config.Env, home string, asked registrymap.Principal) []place {
	variables := []place{
		{name: "environment keys", lacks: "AWS_ACCESS_KEY_ID isn't set"},
		{name: "web identity of the environment", lacks: "AWS_WEB_IDENTITY_TOKEN_FILE isn't set"},
	}
	switch {
	case HasKeys(env):
		variables[0].has = "AWS_ACCESS_KEY_ID is set"
	case env.Get("AWS_ACCESS_KEY_ID") != "":
		variables[0].lacks = "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY isn't"
	}
	switch {
	case env.Get("AWS_WEB_IDENTITY_TOKEN_FILE") != "":
		variables[1].has = "AWS_WEB_IDENTITY_TOKEN_FILE is set"
	case env.Get("AWS_ROLE_ARN") != "":
		variables[1].lacks = "AWS_ROLE_ARN is set, but counts only beside AWS_WEB_IDENTITY_TOKEN_FILE, which isn't set (AWS_ECR_ROLE_ARN names a role to assume)"
	}

	container := place{name: "container credentials", lacks: "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set"}
	if hasContainer(env) {
		container.has = "AWS_CONTAINER_CREDENTIALS_… is set"
	}
	metadata := place{name: "instance metadata", lacks: "AWS_EC2_METADATA_DISABLED is true"}
	if !IsMetadataDisabled(env) {
		metadata.has = "the instance may have a role"
	}
	profile := profilePlace(env, home, asked.Profile)
	if asked.Profile != "" { // which the variables have no part in
		return append(append([]place{profile}, variables...), container, metadata)
	}
	return append(variables, profile, container, metadata)
}

// profilePlace is the place of the profile that is chosen by the map or by the environment.
func profilePlace(env config.Env, home, asked string) place {
	files, shared := FilesOf(env, home), readShared(env, home)
	name := ProfileOf(env, asked)
	p := place{name: "profile " + name}
	profile := shared[name]
	var keys []string
	for _, key := range []string{
		"role_arn", "source_profile", "aws_access_key_id", "credential_source", "web_identity_token_file",
		"sso_session", "sso_start_url", "login_session", "credential_process",
	} {
		if profile.Get(key) != "" {
			keys = append(keys, key)
		}
	}
	switch {
	case len(keys) > 0:
		p.has = "it has " + strings.Join(keys, ", ")
	case profile != nil:
		p.lacks = "it has no credentials"
	case files.Config == "" && files.Credentials == "":
		p.lacks = "there is no home to find ~/.aws in"
	default:
		p.lacks = fmt.Sprintf("it is neither in %s nor in %s", files.Config, files.Credentials)
		for _, file := range []string{files.Config, files.Credentials} {
			if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) && file != "" && (file == env.Get("AWS_CONFIG_FILE") || file == env.Get("AWS_SHARED_CREDENTIALS_FILE")) {
				p.lacks = file + ", which a variable names, doesn't exist"
			}
			if _, err := os.Lstat(file); errors.Is(err, fs.ErrPermission) {
				p.lacks = fmt.Sprintf("%s is skipped: this user (%d) can't read a directory above it", file, os.Geteuid())
			}
		}
	}
	return p
}

func readShared(env config.Env, home string) sharedconfig.Profiles {
	files := FilesOf(env, home)
	configText, _ := new(inputs).contents(files.Config)
	credentialsText, _ := new(inputs).contents(files.Credentials)
	return sharedconfig.Texts{Config: configText, Credentials: credentialsText}.Profiles()
}
