package awsapi

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"docker-credential-ecr-login/internal/atomicfile"
	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/diagnose"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/sharedconfig"
)

// maxInput is many times what a configuration, a token or the output of a credential process
// takes, and maxBundle what a bundle of CA certificates does.
const (
	maxInput  = 1 << 20
	maxBundle = 16 << 20
)

// checkShared returns an error for what is wrong with the AWS configuration and what the SDK would
// skip: it would go on with the next source, and so as another principal. A file that isn't asked
// for credentials and can't be read is kept from the SDK, which would fail on it.
func (c *chain) checkShared() error {
	asks := c.source.FromProfile
	if err := c.files.Err; err != nil && asks {
		return diagnose.Misconfigured("write the whole path", "%v", err)
	}
	for _, of := range []struct {
		file string
		text *string
	}{{c.files.Config, &c.texts.Config}, {c.files.Credentials, &c.texts.Credentials}} {
		if *of.text == "" { // what the identity hasn't read
			read, err := readText(of.file)
			if err != nil && asks {
				return err
			}
			if isPipe(of.file) {
				*of.text = read
			}
		}
		if !asks && !sharedconfig.IsReadable(*of.text) {
			*of.text = ""
		}
	}
	name := identity.ProfileOf(c.request.Env, c.request.Principal.Profile)
	profiles := c.texts.Profiles()
	c.profileChain = profiles.Chain(name)
	c.source = identity.SourceOf(c.request.Env, profiles, c.request.Principal)
	if !asks {
		return nil
	}
	names := []string{name}
	for _, p := range c.profileChain {
		if source := p.Get("source_profile"); source != "" {
			names = append(names, source)
		}
	}
	const hint = "correct it; what the SDK skips there would be taken from somewhere else"
	if problem, ok := c.texts.Check(sharedconfig.Config, names); ok {
		return diagnose.Misconfigured(hint, "%s: %v", c.files.Config, problem)
	}
	if problem, ok := c.texts.Check(sharedconfig.Credentials, names); ok {
		return diagnose.Misconfigured(hint, "%s: %v", c.files.Credentials, problem)
	}
	if err := c.checkProfiles(name); err != nil {
		return err
	}
	return c.checkSource(c.source.Used)
}

// checkProfiles returns an error for values that can't be meant, in the profiles that are used.
func (c *chain) checkProfiles(name string) error {
	const variable = "AWS_DEFAULT_PROFILE"
	if len(c.profileChain) == 0 && name != "default" && name == c.request.Env.Get(variable) && c.request.Principal.Profile == "" {
		return diagnose.Misconfigured("add it, or set "+variable+" to one that is there",
			"there is no profile %q, which %s names, in %s", name, variable, c.fileNames())
	}
	for _, p := range c.profileChain {
		if p.HasHalfKeys() {
			return diagnose.Misconfigured("give it both, or neither",
				"profile %s in %s has an access key without its secret, or a secret without its key", p.Name, c.fileNames())
		}
		for _, key := range []string{
			"role_arn", "source_profile", "credential_source", "web_identity_token_file", "role_session_name", "external_id",
			"sso_session", "sso_region", "sso_start_url", "sso_account_id", "sso_role_name", "login_session",
		} {
			if value := p.Get(key); strings.TrimSpace(value) != value || strings.ContainsAny(value, "\n\t") {
				return diagnose.Misconfigured("correct it",
					"profile %s in %s has the %s %q, with white space around it or a line behind it", p.Name, c.fileNames(), key, value)
			}
		}
		for _, key := range []string{"web_identity_token_file", "ca_bundle"} {
			if err := checkPath("profile "+p.Name+" in "+c.fileNames()+": "+key, p.Get(key)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkNamed returns an error for a path that the SDK opens by itself, or for the file there.
func checkNamed(what, file string, size int64) error {
	if err := checkPath(what, file); err != nil {
		return err
	}
	return checkFile(file, size)
}

func checkPath(what, text string) error {
	if text == "" {
		return nil
	}
	file, err := config.Path(text, "/")
	if err == nil && file != text {
		err = fmt.Errorf("%q begins with ~, which only a shell expands", text)
	}
	if err != nil {
		return diagnose.Misconfigured("write the whole path", "%s: %v", what, err)
	}
	return nil
}

// checkFile returns an error for a file that the SDK, or Go's TLS, would read to its end, however
// far that is: a device, or a file of any size. A pipe is a way to hand over a secret.
func checkFile(file string, size int64) error {
	if file == "" || file == os.DevNull {
		return nil
	}
	info, err := os.Stat(file)
	what := ""
	switch {
	case err != nil: // the SDK takes some files for absent ones, and fails on the others
		return nil
	case info.Mode()&fs.ModeDevice != 0:
		what = "is a device"
	case info.IsDir():
		what = "is a folder, as a mount of a file that isn't there makes one"
	case info.Mode().IsRegular() && info.Size() > size:
		what = fmt.Sprintf("is of %d bytes, more than such a file takes", info.Size())
	default:
		return nil
	}
	return diagnose.Misconfigured("name the right file", "the AWS configuration names %s, which %s", file, what)
}

// readText returns the text of a file, nothing if it doesn't exist.
func readText(file string) (string, error) {
	if file == "" || file == os.DevNull {
		return "", nil
	}
	if err := checkFile(file, maxInput); err != nil {
		return "", err
	}
	text, err := os.ReadFile(file)
	if err == nil {
		return string(text), nil
	}
	if _, lerr := os.Lstat(file); lerr != nil {
		return "", nil // it doesn't exist, or nobody can tell
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", diagnose.Misconfigured("fix it, or remove it", "%s is a link to a file that doesn't exist", file)
	}
	return "", diagnose.Misconfigured("let this user read it, or remove it", "%s can't be read: %v", file, errors.Unwrap(err))
}

// isPipe reports whether a file gives its bytes once.
func isPipe(file string) bool {
	info, err := os.Stat(file)
	return err == nil && !info.Mode().IsRegular()
}

// checkBundles returns an error for CA certificates that can't be read: the SDK's own doesn't say
// where they are.
func (c *chain) checkBundles() error {
	for _, name := range []string{"AWS_CA_BUNDLE", "SSL_CERT_FILE"} {
		if err := checkNamed(name, c.request.Env.Get(name), maxBundle); err != nil {
			return err
		}
	}
	file := c.request.Env.Get("AWS_CA_BUNDLE")
	text, info, err := atomicfile.ReadRegular(file, maxBundle)
	if info == nil || !info.Mode().IsRegular() {
		return nil
	}
	if err == nil {
		if block, _ := pem.Decode(text); block != nil {
			return nil
		}
		err = errors.New("it holds no certificates")
	}
	return diagnose.Misconfigured("name a file with the authorities' certificates in PEM",
		"AWS_CA_BUNDLE names %s, which can't be used: %v", file, err)
}

// checkTokens returns an error for token files that can't be read to their end, once it is known
// which are used.
func (c *chain) checkTokens() error {
	for _, file := range c.tokenFiles() {
		what := "the web identity token"
		if file == c.request.Env.Get("AWS_WEB_IDENTITY_TOKEN_FILE") {
			what = "AWS_WEB_IDENTITY_TOKEN_FILE"
		}
		if err := checkNamed(what, file, maxInput); err != nil {
			return err
		}
	}
	return nil
}

// pathOf returns the path by which the SDK reads a text of the AWS configuration: that of a copy in
// memory, valid until the copy is closed. So the SDK reads what the identity was made of, whatever
// happens to the file. If the system has no such copies, it is the file's own path, unless the text
// has to differ from the file. The list isn't nil, even if empty: the SDK would choose its own.
func (c *chain) pathOf(text, file string, differs bool) (paths []string, copied *os.File, err error) {
	if text == "" {
		return []string{}, nil, nil
	}
	copied, path, err := inMemory(text)
	switch {
	case err == nil:
		return []string{path}, copied, nil
	case differs || isPipe(file):
		return nil, nil, diagnose.Misconfigured("mount /proc", "%s has to be read from a copy in memory, and there can be none: %v", file, err)
	}
	c.fromFiles = true
	return []string{file}, nil, nil
}
