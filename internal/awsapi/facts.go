package awsapi

import (
	"errors"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/diagnose"
)

// failed returns the failure that explains an error, or nil for none.
func (c *chain) failed(err error) error {
	if err == nil {
		return nil
	}
	return c.failure(err)
}

// failure explains an error in one line, without secrets.
func (c *chain) failure(err error) *cache.Failure {
	var f *cache.Failure
	if errors.As(err, &f) {
		return f
	}
	f = diagnose.Failure(err, c.facts())
	f.Reason, f.Hint, f.At = c.clean(f.Reason), c.clean(f.Hint), time.Now()
	return f
}

// facts returns what the explanation of an error needs beside the error.
func (c *chain) facts() diagnose.Facts {
	last, role := c.requests.lastCall()
	return diagnose.Facts{
		Last:          last,
		Role:          role,
		Principal:     c.request.Principal,
		Where:         c.request.Where,
		Files:         c.files(),
		HiddenFiles:   c.hidden(),
		TokenFiles:    c.tokenFiles(),
		Source:        c.source.Name(),
		NamesMetadata: c.namesMetadata(),
		MetadataHost:  c.metadataHost(),
		ContainerHost: c.containerHost(),
		Login:         c.login(),
	}
}

// files names the shared configuration, for messages.
func (c *chain) files() string {
	switch files := c.shared; {
	case files.Config == "" && files.Credentials == "":
		return "the AWS configuration, since there is no home to find it in"
	case files.Config == "":
		return files.Credentials
	case files.Credentials == "":
		return files.Config
	default:
		return files.Config + " or " + files.Credentials
	}
}
