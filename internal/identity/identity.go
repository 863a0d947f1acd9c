// Package identity tells whose tokens an environment asks for, without asking
// anybody: it hashes what the AWS SDK's credential chain would read to decide
// the principal.
//
// Two equal identities have the same principal; where it can't tell, it makes
// them differ, so that the worst a doubt costs is one more call to AWS. It is
// on the path of a warm get and so imports nothing of the SDK.
package identity

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"os"
	"path"
	"slices"
	"strings"

	"docker-credential-ecr-login/internal/config"
)

// Identity stands for a principal.
type Identity struct {
	// Key is a SHA-256 in lower-case hex over everything that decides the
	// principal.
	Key string
	// Source says in words where the chain finds the credentials, for people.
	Source string
	// Unsure is set where an input can't be read twice, such as a pipe: the key
	// then tells nothing, and no token may be kept under it.
	Unsure bool

	// withoutLogins is the key without the files that SSO and "aws login" keep
	// their sessions in.
	withoutLogins string
	// machine is set where the key holds which machine this is, and tokens are
	// the web identity files it holds the claims of.
	machine bool
	tokens  []string
}

// Covers tells whether the key holds what the chain has used, as the SDK reports
// it: the instance metadata service, and web identity token files. Where it
// doesn't, the SDK has read the configuration otherwise than this package, and
// no token may be kept under the key.
func (id Identity) Covers(metadata bool, tokenFiles []string) bool {
	if metadata && !id.machine {
		return false
	}
	for _, file := range tokenFiles {
		if !slices.Contains(id.tokens, file) {
			return false
		}
	}
	return true
}

// SameButLogin tells whether nothing but a login file tells the two apart.
func (id Identity) SameButLogin(other Identity) bool {
	return id.withoutLogins == other.withoutLogins && !id.Unsure && !other.Unsure
}

// Files are the AWS shared configuration the SDK is to read.
type Files struct {
	// Config and Credentials are paths; empty where there is no such file to be
	// had, since there is neither a variable that names one nor a home.
	Config, Credentials string
}

// FilesOf finds the shared configuration. The SDK left alone would look below
// the working folder where there is no home.
func FilesOf(env config.Env, home string) Files {
	below := func(name, variable string) string {
		if file := env.Get(variable); file != "" || home == "" {
			return file
		}
		return path.Join(home, ".aws", name)
	}
	return Files{
		Config:      below("config", "AWS_CONFIG_FILE"),
		Credentials: below("credentials", "AWS_SHARED_CREDENTIALS_FILE"),
	}
}

// Read works out the identity of the environment and the home, for whom AWS is
// asked as.
func Read(env config.Env, home string, asked config.Principal) Identity {
	in := inputs{sum: sha256.New()}
	in.add("version", "2")
	in.add("home", home)
	in.principal(asked)

	vars := slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		return !strings.HasPrefix(kv, "AWS_") || strings.HasPrefix(kv, config.OwnPrefix)
	})
	slices.Sort(vars)
	for _, kv := range vars {
		in.add("variable", kv)
	}

	files := FilesOf(env, home)
	configText, credentialsText := in.file("config", files.Config), in.file("credentials", files.Credentials)
	tokens := append(webIdentityFiles(configText, credentialsText), env.Get("AWS_WEB_IDENTITY_TOKEN_FILE"), asked.WebIdentityTokenFile)
	for _, file := range tokens {
		in.tokenFile(file)
	}
	in.tokenFile(env.Get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))
	if name := asked.WebIdentityTokenEnv; name != "" {
		in.token(env.Get(name))
	}
	if asked.WebIdentityToken != "" {
		in.token(asked.WebIdentityToken)
	}

	source := sourceOf(env, readProfiles(configText, credentialsText), asked)
	if source.metadata {
		in.machine()
	}

	id := Identity{
		Source:        source.String(),
		withoutLogins: in.key(),
		machine:       source.metadata,
		tokens:        tokens,
	}
	in.add("without logins", id.withoutLogins)
	for _, dir := range loginDirs(env, home) {
		in.dir(dir)
	}
	id.Key, id.Unsure = in.key(), in.unsure
	return id
}

// loginDirs are where the AWS CLI and the SDK keep login sessions.
func loginDirs(env config.Env, home string) []string {
	var dirs []string
	if dir := env.Get("AWS_LOGIN_CACHE_DIRECTORY"); dir != "" {
		dirs = append(dirs, dir)
	}
	if home != "" {
		dirs = append(dirs, path.Join(home, ".aws/sso/cache"), path.Join(home, ".aws/login/cache"))
	}
	return dirs
}

// inputs hashes what it is given, each piece with its name and its length, so
// that no two lists of pieces look the same.
type inputs struct {
	sum    hash.Hash
	unsure bool
}

func (in *inputs) add(name, value string) {
	var lengths [16]byte
	binary.BigEndian.PutUint64(lengths[:8], uint64(len(name)))
	binary.BigEndian.PutUint64(lengths[8:], uint64(len(value)))
	in.sum.Write(lengths[:])
	in.sum.Write([]byte(name))
	in.sum.Write([]byte(value))
}

func (in *inputs) key() string { return hex.EncodeToString(in.sum.Sum(nil)) }

// file adds a file's bytes, and returns them.
func (in *inputs) file(name, file string) string {
	text := in.contents(file)
	in.add(name, text)
	return text
}

// principal adds what the map says. What names the token's place is left out, as
// the token itself is added.
func (in *inputs) principal(p config.Principal) {
	in.add("profile", p.Profile)
	in.add("role", p.RoleARN)
	in.add("external id", p.ExternalID)
	in.add("session name", p.RoleSessionName)
	if p.HasWebIdentity() {
		in.add("web identity", "")
	}
}

// tokenFile adds what of a token file names its bearer.
func (in *inputs) tokenFile(file string) {
	if file != "" {
		in.token(in.contents(file))
	}
}

func (in *inputs) token(text string) {
	if claims, ok := jwtClaims(text); ok {
		in.add("JWT", claims)
	} else {
		in.add("token", text)
	}
}

// dir adds the files of a folder.
func (in *inputs) dir(dir string) {
	entries, _ := os.ReadDir(dir) // sorted
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".json") {
			in.file("login "+entry.Name(), path.Join(dir, entry.Name()))
		}
	}
}

// machine adds what tells this boot of this machine, and its container, from
// others: the metadata service answers each with its own principal.
func (in *inputs) machine() {
	in.file("boot", "/proc/sys/kernel/random/boot_id")
	in.file("instance", "/sys/devices/virtual/dmi/id/board_asset_tag") // the instance ID, on EC2
	host, _ := os.Hostname()
	in.add("host", host)
}

// maxInput is many times what a configuration or a token takes. The SDK is given none that is
// larger.
const maxInput = 1 << 20

// contents returns a file's bytes, or nothing where it can't be read, as the
// SDK does. What isn't a regular file is left for the SDK to read: a pipe gives
// its bytes once.
func (in *inputs) contents(file string) string {
	if file == "" || file == os.DevNull {
		return ""
	}
	info, err := os.Stat(file)
	if err != nil || info.IsDir() {
		return ""
	}
	if !info.Mode().IsRegular() || info.Size() > maxInput {
		in.unsure = true
		return ""
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return string(text)
}
