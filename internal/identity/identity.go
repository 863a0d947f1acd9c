// Package identity computes the cache key of the principal that an environment selects, without a
// request: it hashes what the AWS SDK's credential chain would read to decide the principal.
//
// Two equal identities have the same principal. In doubt it makes them differ, which costs one more
// call to AWS. It is on the path of a warm get and so imports nothing of the SDK.
package identity

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"docker-credential-ecr-login/internal/atomicfile"
	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/sharedconfig"
	"docker-credential-ecr-login/internal/stamp"
)

// Identity stands for a principal.
type Identity struct {
	// Key is a SHA-256 in lower-case hex over everything that decides the principal.
	Key string
	// CredentialSource says where the chain finds the credentials, for people.
	CredentialSource string
	// Uncacheable is set if an input can't be read, or not twice, such as a pipe: no token may then be
	// kept under the key.
	Uncacheable bool
	// Settles is when inputs that are being written have settled; see [stamp.Wait].
	Settles time.Time
	// Shared are the texts of the AWS configuration that the key was made of.
	Shared sharedconfig.Texts

	// withoutLogins is the key without the login files of SSO and "aws login".
	withoutLogins string
	logins        []string // texts of those files
	used          Used
	// tokenFiles and loginFiles are inputs that the SDK reads for itself, even if they don't exist.
	tokenFiles, loginFiles []string
}

// Used is where the SDK's chain takes credentials from, as far as that is an input of its own.
type Used struct {
	// Metadata is set for the instance metadata service, Container for a container's endpoint, and
	// Logins for the sessions of SSO and "aws login".
	Metadata, Container, Logins bool
	// TokenFiles are web identity files.
	TokenFiles []string
}

// Covers reports whether the key holds what the chain has used, as the SDK reports it. If it
// doesn't, the SDK has read the configuration otherwise than this package, and no token may be kept
// under the key.
func (id Identity) Covers(used Used) bool {
	return (id.used.Metadata || !used.Metadata) && (id.used.Container || !used.Container) && (id.used.Logins || !used.Logins) &&
		!slices.ContainsFunc(used.TokenFiles, func(file string) bool { return !slices.Contains(id.used.TokenFiles, file) })
}

// TokenStamp returns the stamp of web identity and container tokens, LoginStamp that of login
// files.
func (id Identity) TokenStamp() stamp.Stamp { return stamp.Of(id.tokenFiles) }
func (id Identity) LoginStamp() stamp.Stamp { return stamp.Of(id.loginFiles) }

// HasFiles reports whether the SDK reads inputs for itself.
func (id Identity) HasFiles() bool { return len(id.tokenFiles)+len(id.loginFiles) > 0 }

// SameLogin reports whether nothing but a login file tells the identity from one before it, and
// that file still holds the session of a login's access token or key.
func (id Identity) SameLogin(before Identity, token string) bool {
	return id.withoutLogins == before.withoutLogins && !id.Uncacheable && !before.Uncacheable && token != "" &&
		slices.ContainsFunc(id.logins, func(text string) bool { return strings.Contains(text, `"`+token+`"`) })
}

// Files are the AWS shared configuration the SDK is to read.
type Files struct {
	// Config and Credentials are paths, empty if there is neither a variable that names one nor a
	// home.
	Config, Credentials string
	// Err names a variable with an invalid path, and says why.
	Err error
}

// FilesOf returns the shared configuration. The SDK left alone would look below
// the working directory if there is no home or if a path begins with "~".
func FilesOf(env config.Env, home string) Files {
	var files Files
	find := func(name, variable string) string {
		file := env.Get(variable)
		if file == "" && home == "" {
			return ""
		}
		if file == "" {
			file = path.Join(home, ".aws", name)
		}
		file, err := config.Path(file, home)
		if err != nil && files.Err == nil {
			files.Err = fmt.Errorf("%s: %w", variable, err)
		}
		return file
	}
	files.Config = find("config", "AWS_CONFIG_FILE")
	files.Credentials = find("credentials", "AWS_SHARED_CREDENTIALS_FILE")
	return files
}

// Read computes the identity of a principal in an environment and a home.
func Read(env config.Env, home string, asked registrymap.Principal) Identity {
	in := inputs{sum: sha256.New()}
	in.add("version", "3")
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
	var texts sharedconfig.Texts
	var configRead, credentialsRead bool
	texts.Config, configRead = in.file("config", files.Config)
	texts.Credentials, credentialsRead = in.file("credentials", files.Credentials)
	source := SourceOf(env, texts.Profiles(), asked)
	uncacheable := source.FromProfile && !(configRead && credentialsRead)
	for _, file := range source.Used.TokenFiles {
		uncacheable = !in.tokenFile("web identity token", file) || uncacheable
	}
	if source.Used.Container {
		uncacheable = !in.tokenFile("container token", env.Get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) || uncacheable
	}
	if name := asked.WebIdentityTokenEnv; name != "" {
		in.token("web identity token", env.Get(name))
	}
	if asked.WebIdentityToken != "" {
		in.token("web identity token", asked.WebIdentityToken)
	}
	if source.Used.Metadata {
		in.machine()
	}

	id := Identity{
		CredentialSource: source.String(),
		withoutLogins:    in.key(),
		used:             source.Used,
		tokenFiles:       in.files,
		Shared:           texts,
	}
	in.files = nil
	in.add("without logins", id.withoutLogins)
	if source.Used.Logins {
		for _, dir := range loginDirs(env, home) {
			texts, ok := in.dir(dir)
			id.logins, uncacheable = append(id.logins, texts...), uncacheable || !ok
		}
	}
	id.Key, id.Uncacheable, id.Settles, id.loginFiles = in.key(), uncacheable, in.settles, in.files
	return id
}

// loginDirs returns the directories in which the AWS CLI and the SDK keep login sessions.
func loginDirs(env config.Env, home string) []string {
	var dirs []string
	if dir, err := config.Path(env.Get("AWS_LOGIN_CACHE_DIRECTORY"), home); err == nil { // else awsapi refuses it
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
	sum     hash.Hash
	files   []string  // which the SDK reads for itself
	settles time.Time // the latest of all files
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

// file adds a file's bytes, or why there are none. It returns them, and false for a file that is
// there and can't be read, or not twice.
func (in *inputs) file(name, file string) (text string, ok bool) {
	text, what := in.contents(file)
	in.add(name, what)
	in.add(name, text)
	return text, what == ""
}

// principal adds what the map says. It omits where the token is, as the token itself is added.
func (in *inputs) principal(p registrymap.Principal) {
	in.add("profile", p.Profile)
	in.add("role", p.RoleARN)
	in.add("external id", p.ExternalID)
	in.add("session name", p.RoleSessionName)
	if p.HasWebIdentity() {
		in.add("web identity", "")
	}
}

// tokenFile adds what of a token file names its bearer. It returns false if the file can't be read.
func (in *inputs) tokenFile(name, file string) bool {
	if file != "" {
		in.files = append(in.files, file)
	}
	text, what := in.contents(file)
	if what != "" {
		in.add(name+" is", what)
	}
	in.token(name, text)
	return what == ""
}

func (in *inputs) token(name, text string) {
	if claims, ok := jwtClaims(text); ok {
		in.add(name+" JWT", claims)
	} else {
		in.add(name, text)
	}
}

// dir adds the files of a directory, and returns their texts. It returns false if one of them
// or the directory can't be read.
func (in *inputs) dir(dir string) (texts []string, ok bool) {
	entries, err := os.ReadDir(dir) // sorted
	in.files = append(in.files, dir)
	ok = err == nil || errors.Is(err, fs.ErrNotExist)
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".json") {
			in.files = append(in.files, path.Join(dir, entry.Name()))
			text, read := in.file("login "+entry.Name(), path.Join(dir, entry.Name()))
			texts, ok = append(texts, text), ok && read
		}
	}
	return texts, ok
}

// machine adds what distinguishes this boot of this machine, and its container, from
// others: the metadata service answers each with its own principal.
func (in *inputs) machine() {
	// Not among the files that are stamped: the kernel gives these a new time whenever it likes.
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	in.add("boot", string(boot))
	instance, _ := os.ReadFile("/sys/devices/virtual/dmi/id/board_asset_tag") // the instance ID, on EC2
	in.add("instance", string(instance))
	host, _ := os.Hostname()
	in.add("host", host)
}

// maxInput is many times what a configuration or a token takes. The SDK is given none that is
// larger.
const maxInput = 1 << 20

// contents returns a file's bytes: none if it doesn't exist or is in a directory that this user
// can't read, as for the SDK. If it can't be read otherwise, or not twice, as a pipe, what says so.
func (in *inputs) contents(file string) (text, what string) {
	if file == "" || file == os.DevNull {
		return "", ""
	}
	bytes, info, err := atomicfile.ReadRegular(file, maxInput)
	switch {
	case info == nil:
		return "", ""
	case err != nil:
		return "", "unreadable"
	}
	in.note(info)
	if int64(len(bytes)) != info.Size() { // somebody has written it in between
		if info, err := os.Stat(file); err == nil {
			in.note(info)
		}
	}
	return string(bytes), ""
}

func (in *inputs) note(info fs.FileInfo) {
	if settles := stamp.Settles(info); settles.After(in.settles) {
		in.settles = settles
	}
}
