package doctor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"docker-credential-ecr-login/internal/awsapi"
	"docker-credential-ecr-login/internal/registry"
)

// registry reports whether the registry accepts the token.
func (d *diagnosis) registry(ctx context.Context) Finding {
	public := d.target.Registry.Public
	switch {
	case d.blocked && (!public || d.probe == nil):
		return skipped
	case public && d.response.Password == "":
		return d.anonymousToken(ctx)
	}
	r, err := d.request(ctx, http.MethodGet, "/v2/")
	if err != nil || r.status != http.StatusOK {
		return d.refused(r, err, "/v2/")
	}
	d.blocked = false // what failed before isn't needed
	return ok("%s takes the token", d.target.Host)
}

// anonymousToken fetches the token with which everybody may pull from public ECR, from the place that
// the registry's challenge names: https://distribution.github.io/distribution/spec/auth/token/
func (d *diagnosis) anonymousToken(ctx context.Context) Finding {
	query := url.Values{"service": {d.target.Host}}
	if d.image.repository != "" {
		query.Set("scope", "repository:"+d.image.repository+":pull")
	}
	r, err := d.request(ctx, http.MethodGet, "/token/?"+query.Encode())
	if err != nil || r.status != http.StatusOK {
		return d.refused(r, err, "an anonymous token")
	}
	var body struct{ Token string }
	if json.Unmarshal(r.body, &body) != nil || body.Token == "" {
		return fail("see what answers in its place", "%s gave something else than an anonymous token", d.target.Host)
	}
	d.bearer, d.blocked = body.Token, false
	return ok("%s gave an anonymous token, with which its images can be pulled without credentials", d.target.Host)
}

// manifest reports whether the image can be pulled: its manifest and its configuration can be read.
func (d *diagnosis) manifest(ctx context.Context) Finding {
	switch {
	case d.image.repository == "":
		return Finding{}
	case d.blocked:
		return skipped
	}
	repository := "/v2/" + d.image.repository
	r, err := d.request(ctx, http.MethodGet, repository+"/manifests/"+d.image.reference)
	blob := ""
	for err == nil && r.status == http.StatusOK && blob == "" {
		var m struct {
			Config    struct{ Digest string }
			Manifests []struct{ Digest string }
		}
		switch json.Unmarshal(r.body, &m); {
		case m.Config.Digest != "":
			blob = m.Config.Digest
		case len(m.Manifests) > 0: // an index; its first platform stands for all
			r, err = d.request(ctx, http.MethodGet, repository+"/manifests/"+m.Manifests[0].Digest)
		default:
			return fail("see what was pushed under that name", "%s holds something else than a manifest", d.image)
		}
	}
	if blob == "" {
		return d.noImage(r, err, "ecr:BatchGetImage and ecr:GetDownloadUrlForLayer")
	}
	r, err = d.request(ctx, http.MethodHead, repository+"/blobs/"+blob)
	if err != nil || r.status != http.StatusOK && r.status != http.StatusTemporaryRedirect { // ECR redirects to S3
		return d.noImage(r, err, "ecr:GetDownloadUrlForLayer")
	}
	return ok("%s is there, and may be pulled", d.image)
}

// noImage returns the finding about an image that the registry doesn't give. actions are the
// permissions that it takes.
func (d *diagnosis) noImage(r reply, err error, actions string) Finding {
	t := d.target.Registry
	switch {
	case err == nil && r.status == http.StatusForbidden:
		resource := fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s", registry.Partition(t.Region), t.Region, t.Account, d.image.repository)
		fix := fmt.Sprintf("allow %s on %s in a policy of %s", actions, resource, principalOf(d.caller))
		if d.isForeign() {
			fix += fmt.Sprintf(", and to that principal in the policy of the repository, in account %s", t.Account)
		}
		return fail(fix, "%s may not be pulled (403): %s", d.image, r.message)
	case r.status == http.StatusNotFound && r.code == "NAME_UNKNOWN":
		return fail("see whether account, region and the repository's name are right", "there is no repository %s in %s: %s", d.image.repository, d.target.Host, r.message)
	case r.status == http.StatusNotFound:
		kind := "tag"
		if d.image.byDigest() {
			kind = "digest"
		}
		return fail("check whether the "+kind+" is right and was pushed", "the repository %s is there, but %s isn't in it: %s", d.image.repository, d.image.reference, r.message)
	}
	return d.refused(r, err, "the image")
}

// principalOf returns whom a policy has to be about: for a session its role, whose path AWS doesn't
// name.
func principalOf(caller awsapi.Caller) string {
	if caller.ARN == "" {
		return "the principal"
	}
	if _, session, isRole := strings.Cut(caller.ARN, ":assumed-role/"); isRole {
		role, _, _ := strings.Cut(session, "/")
		return fmt.Sprintf("the role %s of account %s", role, caller.Account)
	}
	return caller.ARN
}

// refused returns the finding about a request that failed, or a reply other than what was expected.
func (d *diagnosis) refused(r reply, err error, what string) Finding {
	host := d.target.Host
	switch {
	case err != nil:
		return failed(err)
	case r.status == http.StatusUnauthorized:
		return fail("see whether a proxy in front of it takes the Authorization header away, and whether the clock is right",
			"%s doesn't take the token for %s (401): %s", host, what, r.message)
	case r.status == http.StatusForbidden:
		return fail("let the policies of the registry and of the principal allow it", "%s doesn't allow %s (403): %s", host, what, r.message)
	case r.status == http.StatusNotFound:
		return fail("see whether the name is right, and a registry is behind it", "%s has nothing at %s (404): %s", host, what, r.message)
	}
	return fail("try again; if it stays so, see what answers in its place", "%s answered %d for %s: %s", host, r.status, what, r.message)
}

// reply is the response of a registry.
type reply struct {
	status int
	body   []byte
	// code and message are those of the first error, as the distribution specification defines them.
	code, message string
}

// maxReply is more bytes than a manifest may have: ECR's limit is 4 MiB.
const maxReply = 5 << 20

var manifestTypes = []string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.docker.distribution.manifest.v2+json",
}

// request sends a request for a path to the registry, with the token.
func (d *diagnosis) request(ctx context.Context, method, path string) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, "https://"+d.target.Host+path, nil)
	if err != nil {
		return reply{}, err
	}
	switch password := d.response.Password; {
	case !d.target.Registry.Public:
		request.SetBasicAuth("AWS", password)
	case password != "":
		// https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html#public-registry-auth-http
		request.Header.Set("Authorization", "Bearer "+base64.StdEncoding.EncodeToString([]byte("AWS:"+password)))
	case d.bearer != "":
		request.Header.Set("Authorization", "Bearer "+d.bearer)
	}
	request.Header["Accept"] = manifestTypes
	response, err := d.probe.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	r := reply{status: response.StatusCode}
	r.body, _ = io.ReadAll(io.LimitReader(response.Body, maxReply))
	if r.status >= 400 {
		var body struct {
			Errors []struct{ Code, Message string }
		}
		if json.Unmarshal(r.body, &body) == nil && len(body.Errors) > 0 {
			r.code, r.message = body.Errors[0].Code, body.Errors[0].Message
		} else {
			r.message = http.StatusText(r.status)
		}
		// A server may repeat the password, which it has just received.
		basic := base64.StdEncoding.EncodeToString([]byte("AWS:" + d.response.Password))
		for _, secret := range []string{d.response.Password, d.bearer, basic} {
			if secret != "" {
				r.message = strings.ReplaceAll(r.message, secret, "***")
			}
		}
	}
	return r, nil
}
