package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/dockerconfig"
)

// program tells which file clients start under the name that they call.
func (v *visit) program(context.Context) {
	const called = config.HelperPrefix + dockerconfig.Helper
	self, err := os.Executable()
	if err != nil {
		self = called
	}
	onPath, err := exec.LookPath(called)
	switch {
	case errors.Is(err, exec.ErrDot):
		v.fail("name absolute folders in PATH", "%s is on the PATH only in the working folder, where clients don't start it", called)
	case err != nil:
		v.fail(fmt.Sprintf("copy %s to a folder of the PATH, under the name %s", self, called),
			"there is no %s on the PATH of this process (%s), so clients that are started with it find none", called, v.Env.Get("PATH"))
	case !sameFile(self, onPath):
		v.warn("remove one of them", "clients start %s, which is another program than this one (%s, %s)", onPath, self, v.Version)
	default:
		v.ok("%s, %s; clients find it if their PATH, as this one does, names its folder", onPath, v.Version)
	}
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// clients tells whether clients call this helper for the host.
func (v *visit) clients(context.Context) {
	if v.image.host != "" && v.target.Host == "" && v.isOut() {
		return
	}
	where := dockerconfig.DockerPath(v.Env, v.Settings.Home)
	f, err := dockerconfig.Read(where)
	if err != nil {
		v.fail("mend it; clients that read it fail, too", "%v", err)
		return
	}
	v.docker(f)
	if text := v.Env.Get("DOCKER_AUTH_CONFIG"); text != "" {
		f, err := dockerconfig.Parse("DOCKER_AUTH_CONFIG", text)
		if err != nil {
			v.fail("mend it", "%v", err)
			return
		}
		v.docker(f)
	}
}

func (v *visit) docker(f *dockerconfig.File) {
	host := v.image.host
	if host == "" {
		host = "a registry"
	}
	helper, store := f.HelperOf(v.image.host), f.Store()
	configure := "run: docker-credential-ecr-login configure " + v.image.host
	if v.image.host == "" {
		configure = "run: docker-credential-ecr-login configure HOST"
	}
	static := false
	for _, server := range f.Auths() {
		t, ok := v.Settings.Map.Find(server)
		static = static || ok && t.Host == v.image.host
	}
	switch {
	case helper == dockerconfig.Helper:
		v.ok("%s has clients call this helper for %s (credHelpers)", f.Path, host)
	case helper != "":
		v.fail(configure, "%s has clients call docker-credential-%s for %s (credHelpers), not this helper", f.Path, helper, host)
	case v.image.host == "" && len(f.Hosts()) > 0:
		v.ok("%s has clients call this helper for %s (credHelpers)", f.Path, strings.Join(f.Hosts(), ", "))
	case store == dockerconfig.Helper:
		v.store(f)
	case static:
		v.fail(configure+"; and docker logout "+host,
			"%s holds a password for %s itself (auths), from a docker login; clients use that, and a token of ECR's ends after twelve hours", f.Path, host)
	case store != "":
		v.fail(configure, "%s has clients call docker-credential-%s for all hosts (credsStore), not this helper", f.Path, store)
	case !f.Exists() && f.Path != "DOCKER_AUTH_CONFIG":
		v.warn(configure, "there is no %s, so Docker calls no helper", f.Path)
	default:
		v.warn(configure, "%s has clients call no helper for %s", f.Path, host)
	}
}

// store tells what a helper for all hosts hides.
func (v *visit) store(f *dockerconfig.File) {
	var hidden []string
	for _, server := range f.Auths() {
		if _, ours := v.Settings.Map.Find(server); !ours {
			hidden = append(hidden, server)
		}
	}
	if len(hidden) > 0 && v.Settings.Fallback == "" {
		v.warn("set a fallback (AWS_ECR_FALLBACK) that has those passwords, or credHelpers in the place of credsStore",
			"%s has clients call this helper for all hosts (credsStore), which hides the passwords in it for %s", f.Path, strings.Join(hidden, ", "))
		return
	}
	v.ok("%s has clients call this helper for all hosts (credsStore)", f.Path)
}

// image is what the doctor was asked about.
type image struct {
	host, repository, reference string
}

// parseImage takes HOST, HOST/REPOSITORY, and that with a tag or a digest.
func parseImage(text string) image {
	text = strings.TrimSpace(text)
	for _, scheme := range []string{"https://", "http://"} {
		if len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			text = text[len(scheme):]
		}
	}
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		text = text[:i]
	}
	host, rest, _ := strings.Cut(text, "/")
	host = host[strings.LastIndexByte(host, '@')+1:] // no user, and no password
	host, _, _ = strings.Cut(host, ":")
	i := image{host: strings.ToLower(host)}
	rest = strings.TrimRight(rest, "/")
	if rest == "" || rest == "v1" || rest == "v2" {
		return i
	}
	if name, digest, ok := strings.Cut(rest, "@"); ok {
		name, _, _ = strings.Cut(name, ":")
		i.repository, i.reference = name, digest
		return i
	}
	i.repository, i.reference, _ = strings.Cut(rest, ":")
	if i.reference == "" {
		i.reference = "latest"
	}
	return i
}

func (i image) String() string {
	if i.repository == "" {
		return i.host
	}
	mark := ":"
	if strings.Contains(i.reference, ":") {
		mark = "@"
	}
	return filepath.Join(i.host, i.repository) + mark + i.reference
}
