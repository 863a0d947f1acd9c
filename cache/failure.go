package cache

import (
	"encoding/json"
	"os"

	"docker-credential-ecr-login/internal/failure"
)

// failureFile is the content of a failure's file.
type failureFile struct {
	Family
	failure.Failure
}

// PutFailure saves why the family has no token.
func (c *Cache) PutFailure(f Family, why failure.Failure) error {
	text, err := json.Marshal(failureFile{f, why})
	if err != nil {
		return err
	}
	return c.write(f.file(failureExt), text, why.At)
}

// Failure returns why the last fetch for the family failed. It is false if a token was saved or the
// family was purged since.
func (c *Cache) Failure(f Family) (failure.Failure, bool) {
	var file failureFile
	text, err := c.readFile(f.file(failureExt))
	if err != nil || json.Unmarshal(text, &file) != nil || file.Family != f {
		return failure.Failure{}, false
	}
	return file.Failure, true
}

// ClearFailure removes the failure of the family.
func (c *Cache) ClearFailure(f Family) {
	if c.dir != "" {
		os.Remove(c.path(f.file(failureExt)))
	}
}
