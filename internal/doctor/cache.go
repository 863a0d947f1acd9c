package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/atomicfile"
	"docker-credential-ecr-login/internal/identity"
	"docker-credential-ecr-login/internal/tokensource"
)

// cache reports which tokens are kept, and where.
func (d *diagnosis) cache(context.Context) Finding {
	if err := d.Settings.CacheErr; err != nil {
		return warn("write the whole path", "no token is kept: %v; every get asks AWS", err)
	}
	if d.Settings.CacheDir == "" {
		return warn("unset AWS_ECR_DISABLE_CACHE, or set HOME or AWS_ECR_CACHE_DIR to a folder of this user's own",
			"no token is kept: the cache is turned off, or there is no home of this user's own; every get asks AWS")
	}
	c := cache.New(d.Settings.CacheDir)
	if err := c.Check(); err != nil {
		return warn("make it a directory of this user alone, or set AWS_ECR_CACHE_DIR to one", "no token is kept: %v", err)
	}
	if err := canWrite(c.Dir()); err != nil {
		return warn("make room or give this user the right to write there, or set AWS_ECR_CACHE_DIR to another directory", "no token is kept: %v", err)
	}
	info, err := os.Stat(c.Dir())
	if err != nil {
		return ok("%s will be made with the first token", c.Dir())
	}
	id := identity.Read(d.Env, d.Settings.Home, d.target.Principal)
	if id.Uncacheable {
		return warn("use a file", "no token is kept: whose tokens these are is read from something that can't be read, or not twice, such as a pipe")
	}
	kept := "none of them for this identity in the registry's region"
	now := time.Now()
	for _, item := range c.Items(id.Key) {
		if item.Family == tokensource.FamilyOf(id.Key, d.target.Registry) {
			kept = fmt.Sprintf("one for this registry, of %s ago", age(now.Sub(item.RequestedAt)))
			if !item.Fresh(now) {
				kept += ", due for renewal"
			}
		}
	}
	return ok("%s, mode %04o, holds %d tokens, %s", c.Dir(), info.Mode().Perm(), len(c.All()), kept)
}

// canWrite writes as much as a token takes in a directory, or in the nearest existing one above it,
// and removes it. The error says why no token can be saved there.
func canWrite(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
		return canWrite(filepath.Dir(dir))
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", dir)
	}
	f, err := os.CreateTemp(dir, ".ecr-login-*"+atomicfile.TempSuffix)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 4<<10))
	return errors.Join(err, f.Sync(), f.Close())
}
