package fetch

import (
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"docker-credential-ecr-login/cache"
)

// maxInput is many times what a configuration, a token or the output of a credential process
// takes, and maxBundle what a bundle of authorities does.
const (
	maxInput  = 1 << 20
	maxBundle = 16 << 20
)

// checkFiles tells of a file that the SDK, or Go's TLS, would read to its end, however far
// that is: a device, or one of any size. A pipe is a way to hand over a secret.
func (c *chain) checkFiles() error {
	env, files := c.question.Env, c.sharedFiles()
	for _, file := range []string{files.Config, files.Credentials} {
		if err := checkFile(file, maxInput); err != nil {
			return err
		}
	}
	for _, name := range []string{"AWS_CA_BUNDLE", "SSL_CERT_FILE"} {
		if err := checkFile(env.Get(name), maxBundle); err != nil {
			return err
		}
	}
	return c.checkBundle()
}

func checkFile(file string, size int64) error {
	if file == "" || file == os.DevNull {
		return nil
	}
	info, err := os.Stat(file)
	what := ""
	switch {
	case err != nil: // the SDK takes some files for absent ones, and tells of the others
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
	return &cache.Failure{
		Kind:   cache.Misconfigured,
		Reason: fmt.Sprintf("the AWS configuration names %s, which %s", file, what),
		Hint:   "name the right file",
	}
}

// checkBundle tells of authorities that can't be read, of which the SDK doesn't say where
// they are.
func (c *chain) checkBundle() error {
	file := c.question.Env.Get("AWS_CA_BUNDLE")
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	text, err := os.ReadFile(file)
	if err == nil {
		if block, _ := pem.Decode(text); block != nil {
			return nil
		}
		err = fmt.Errorf("it holds no certificates")
	}
	return &cache.Failure{
		Kind:   cache.Misconfigured,
		Reason: fmt.Sprintf("AWS_CA_BUNDLE names %s, which can't be used: %v", file, err),
		Hint:   "name a file with the authorities' certificates in PEM",
	}
}

// checkTokens does so for the tokens that profiles name, once those are known.
func (c *chain) checkTokens() error {
	for _, file := range c.tokenFiles() {
		if err := checkFile(file, maxInput); err != nil {
			return err
		}
	}
	return nil
}

// checkKeys tells of keys that no request can hold, such as those of a variable that was read
// with the line break at its end.
func (c *chain) checkKeys() error {
	env := c.question.Env
	var keys []string
	for _, given := range c.given {
		keys = append(keys, given.AccessKeyID, given.SecretAccessKey, given.SessionToken)
	}
	if slices.Contains(c.steps, aws.CredentialSourceEnvVars) {
		keys = append(keys, env.Get("AWS_ACCESS_KEY_ID"), env.Get("AWS_SECRET_ACCESS_KEY"), env.Get("AWS_SESSION_TOKEN"))
	}
	for _, p := range c.profiles() {
		keys = append(keys, p.Credentials.AccessKeyID, p.Credentials.SecretAccessKey, p.Credentials.SessionToken)
	}
	if !slices.ContainsFunc(keys, func(key string) bool { return strings.ContainsFunc(key, isNoKeys) }) {
		return nil
	}
	return &cache.Failure{
		Kind:   cache.Misconfigured,
		Reason: fmt.Sprintf("the access key, its secret or its session token holds a line break, a blank or another character that none has; they come from: %s", c.source()),
		Hint:   "set it without that",
	}
}

func isNoKeys(r rune) bool { return r <= ' ' || r > '~' }
