package doctor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/awsapi"
	"docker-credential-ecr-login/internal/identity"
)

// cache tells what is kept of tokens, and where.
func (v *visit) cache(context.Context) {
	if err := v.Settings.CacheErr; err != nil {
		v.warn("write the whole path", "no token is kept: %v; every get asks AWS", err)
		return
	}
	dir := v.Settings.CacheDir
	if dir == "" {
		v.warn("unset AWS_ECR_DISABLE_CACHE, or set HOME or AWS_ECR_CACHE_DIR to a folder of this user's own",
			"no token is kept: the cache is turned off, or there is no home of this user's own; every get asks AWS")
		return
	}
	c := cache.New(dir)
	if err := c.Check(); err != nil {
		v.warn("make it a directory of this user alone, or set AWS_ECR_CACHE_DIR to one", "no token is kept: %v", err)
		return
	}
	if err := canWrite(c.Dir()); err != nil {
		v.warn("make room or give this user the right to write there, or set AWS_ECR_CACHE_DIR to another directory", "no token is kept: %v", err)
		return
	}
	info, err := os.Stat(c.Dir())
	if err != nil {
		v.ok("%s will be made with the first token", c.Dir())
		return
	}
	id := identity.Read(v.Env, v.Settings.Home, v.target.Principal)
	if id.Uncacheable {
		v.warn("use a file", "no token is kept: whose tokens these are is read from something that can't be read, or not twice, such as a pipe")
		return
	}
	kept := "none of them for this identity in the registry's region"
	now := time.Now()
	for _, item := range c.Items(id.Key) {
		if item.Region == v.target.Registry.TokenRegion() && item.EndpointVariant == v.target.Registry.EndpointVariant() {
			kept = fmt.Sprintf("one for this registry, of %s ago", Age(now.Sub(item.RequestedAt)))
			if !item.Fresh(now) {
				kept += ", due for renewal"
			}
		}
	}
	v.ok("%s, mode %04o, holds %d tokens, %s", c.Dir(), info.Mode().Perm(), len(c.All()), kept)
}

// registry tells whether the registry takes the token.
func (v *visit) registry(ctx context.Context) {
	public := v.target.Registry.Public
	if (!public || v.exam == nil) && v.isOut() {
		return
	}
	if public && v.answer.Password == "" {
		v.anonymously(ctx)
		return
	}
	r, err := v.ask(ctx, http.MethodGet, "/v2/")
	switch {
	case err != nil:
		v.bad = true
		v.found(finding(err))
	case r.status == http.StatusOK:
		v.bad = false // what failed before isn't needed
		v.ok("%s takes the token", v.target.Host)
	default:
		v.bad = true
		v.refused(r, "/v2/")
	}
}

// anonymously gets the token by which everybody may pull from public ECR, which its challenge names
// the place of: https://distribution.github.io/distribution/spec/auth/token/
func (v *visit) anonymously(ctx context.Context) {
	v.bad = true
	query := url.Values{"service": {v.target.Host}}
	if v.image.repository != "" {
		query.Set("scope", "repository:"+v.image.repository+":pull")
	}
	r, err := v.ask(ctx, http.MethodGet, "/token/?"+query.Encode())
	var said struct{ Token string }
	switch {
	case err != nil:
		v.found(finding(err))
	case r.status != http.StatusOK:
		v.refused(r, "an anonymous token")
	case json.Unmarshal(r.body, &said) != nil || said.Token == "":
		v.fail("see what answers in its place", "%s gave something else than an anonymous token", v.target.Host)
	default:
		v.bearer, v.bad = said.Token, false
		v.ok("%s gave an anonymous token, with which its images can be pulled without credentials", v.target.Host)
	}
}

// manifest tells whether the image can be pulled.
func (v *visit) manifest(ctx context.Context) {
	if v.image.repository == "" || v.isOut() {
		return
	}
	of := "/v2/" + v.image.repository
	r, err := v.ask(ctx, http.MethodGet, of+"/manifests/"+v.image.reference)
	var layer string
	for err == nil && r.status == http.StatusOK && layer == "" {
		var m struct {
			Config    struct{ Digest string }
			Manifests []struct{ Digest string }
		}
		switch json.Unmarshal(r.body, &m); {
		case m.Config.Digest != "":
			layer = m.Config.Digest
		case len(m.Manifests) > 0: // an index; its first platform stands for all
			r, err = v.ask(ctx, http.MethodGet, of+"/manifests/"+m.Manifests[0].Digest)
		default:
			v.fail("see what was pushed under that name", "%s holds something else than a manifest", v.image)
			return
		}
	}
	if layer != "" {
		r, err = v.ask(ctx, http.MethodHead, of+"/blobs/"+layer)
	}
	switch {
	case err != nil:
		v.found(finding(err))
	case layer != "" && (r.status == http.StatusOK || r.status == http.StatusTemporaryRedirect): // ECR redirects to S3
		v.ok("%s is there, and may be pulled", v.image)
	case layer != "" && r.status == http.StatusForbidden:
		v.denied(r, "ecr:GetDownloadUrlForLayer")
	case r.status == http.StatusForbidden:
		v.denied(r, "ecr:BatchGetImage and ecr:GetDownloadUrlForLayer")
	case r.status == http.StatusNotFound && r.code == "NAME_UNKNOWN":
		v.fail("see whether account, region and the repository's name are right", "there is no repository %s in %s: %s", v.image.repository, v.target.Host, r.message)
	case r.status == http.StatusNotFound:
		what := "tag"
		if v.image.byDigest() {
			what = "digest"
		}
		v.fail("check whether the "+what+" is right and was pushed", "the repository %s is there, but %s isn't in it: %s", v.image.repository, v.image.reference, r.message)
	default:
		v.refused(r, "the image")
	}
}

// denied names the permission that is missing.
func (v *visit) denied(r reply, actions string) {
	partition := "aws"
	if parts := strings.SplitN(v.caller.ARN, ":", 3); len(parts) == 3 {
		partition = parts[1]
	}
	t := v.target.Registry
	resource := fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s", partition, t.Region, t.Account, v.image.repository)
	fix := fmt.Sprintf("allow %s on %s in a policy of %s", actions, resource, principalOf(v.caller))
	if v.isForeign() {
		fix += fmt.Sprintf(", and to that principal in the policy of the repository, in account %s", t.Account)
	}
	v.fail(fix, "%s may not be pulled (403): %s", v.image, r.message)
}

// principalOf is whom a policy has to be about: of a session, its role, whose path AWS doesn't
// tell.
func principalOf(caller awsapi.Caller) string {
	if caller.ARN == "" {
		return "the principal"
	}
	if _, session, ok := strings.Cut(caller.ARN, ":assumed-role/"); ok {
		role, _, _ := strings.Cut(session, "/")
		return fmt.Sprintf("the role %s of account %s", role, caller.Account)
	}
	return caller.ARN
}

// refused tells of an answer that is about no permission.
func (v *visit) refused(r reply, what string) {
	switch r.status {
	case http.StatusUnauthorized:
		v.fail("see whether a proxy in front of it takes the Authorization header away, and whether the clock is right",
			"%s doesn't take the token for %s (401): %s", v.target.Host, what, r.message)
	case http.StatusForbidden:
		v.fail("let the policies of the registry and of the principal allow it", "%s doesn't allow %s (403): %s", v.target.Host, what, r.message)
	case http.StatusNotFound:
		v.fail("see whether the name is right, and a registry is behind it", "%s has nothing at %s (404): %s", v.target.Host, what, r.message)
	default:
		v.fail("try again; if it stays so, see what answers in its place", "%s answered %d for %s: %s", v.target.Host, r.status, what, r.message)
	}
}

// reply is what a registry answered.
type reply struct {
	status int
	body   []byte
	// code and message are of the first error, as the distribution specification has them.
	code, message string
}

// maxReply is more than a manifest may take: ECR's limit is 4 MiB.
const maxReply = 5 << 20

var manifestTypes = []string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.docker.distribution.manifest.v2+json",
}

// ask asks the registry for a path, with the token.
func (v *visit) ask(ctx context.Context, method, path string) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, "https://"+v.target.Host+path, nil)
	if err != nil {
		return reply{}, err
	}
	switch password := v.answer.Password; {
	case !v.target.Registry.Public:
		request.SetBasicAuth("AWS", password)
	case password != "":
		// https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html#public-registry-auth-http
		request.Header.Set("Authorization", "Bearer "+base64.StdEncoding.EncodeToString([]byte("AWS:"+password)))
	case v.bearer != "":
		request.Header.Set("Authorization", "Bearer "+v.bearer)
	}
	request.Header["Accept"] = manifestTypes
	response, err := v.exam.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	r := reply{status: response.StatusCode}
	r.body, _ = io.ReadAll(io.LimitReader(response.Body, maxReply))
	if r.status >= 400 {
		var said struct {
			Errors []struct{ Code, Message string }
		}
		if json.Unmarshal(r.body, &said) == nil && len(said.Errors) > 0 {
			r.code, r.message = said.Errors[0].Code, said.Errors[0].Message
		} else {
			r.message = http.StatusText(r.status)
		}
		// Whoever answers has just been told the password, and may repeat it.
		for _, secret := range []string{v.answer.Password, v.bearer, base64.StdEncoding.EncodeToString([]byte("AWS:" + v.answer.Password))} {
			if secret != "" {
				r.message = strings.ReplaceAll(r.message, secret, "***")
			}
		}
	}
	return r, nil
}
