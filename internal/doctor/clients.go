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
	"docker-credential-ecr-login/internal/registry"
)

// program tells which file clients start under the name that they call.
func (v *visit) program(context.Context) {
	self, problem, fix := OnPath(v.Env)
	if problem != "" {
		v.found(Finding{State: Failure, Found: problem + " (this one is " + v.Version + ")", Fix: fix})
		return
	}
	v.ok("%s, %s; clients find it if their PATH, as this one does, names its folder", self, v.Version)
}

// OnPath tells where this program is, and what keeps clients from starting it.
func OnPath(env config.Env) (self, problem, fix string) {
	const called = config.HelperPrefix + dockerconfig.Helper
	self, err := os.Executable()
	if err != nil {
		self = called
	}
	found, err := exec.LookPath(called)
	switch {
	case errors.Is(err, exec.ErrDot):
		return self, called + " is on the PATH in the working folder alone, where clients don't start it", "name absolute folders in PATH"
	case err != nil:
		return self, fmt.Sprintf("clients call %s, which isn't on the PATH (%s)", called, env.Get("PATH")),
			fmt.Sprintf("copy %s to a folder of the PATH, under that name", self)
	case !sameFile(self, found):
		return self, fmt.Sprintf("clients call %s, which is another program than %s", found, self), "remove one of them"
	}
	return found, "", ""
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
	docker, podman := v.client(dockerconfig.DockerPath), v.client(dockerconfig.PodmanPath)
	var variable *dockerconfig.File
	if text := v.Env.Get(authVariable); text != "" {
		f, err := dockerconfig.Parse(authVariable, text)
		if err != nil {
			v.fail("mend it", "%v", err)
		} else {
			variable = f
		}
	}
	elsewhere := false
	if podman != nil && podman.HelperOf(v.image.host) == dockerconfig.Helper {
		elsewhere = true
		v.ok("%s has podman, buildah and skopeo call this helper for %s (credHelpers)", podman.Path, v.image.host)
	}
	if variable != nil && (variable.HelperOf(v.image.host) != "" || variable.Store() != "" || v.static(variable)) {
		elsewhere = true
		v.judge(variable, "change that variable; configure --print gitlab prints one")
	}
	if docker != nil && (!elsewhere || docker.Exists()) {
		configure := "run: docker-credential-ecr-login configure " + v.image.host
		if v.image.host == "" {
			configure += "HOST"
		}
		v.judge(docker, configure)
	}
}

// authVariable holds a configuration of GitLab Runner's, and passwords for Docker.
const authVariable = "DOCKER_AUTH_CONFIG"

// client reads a client's configuration, nil where it can't be.
func (v *visit) client(path func(config.Env, string) string) *dockerconfig.File {
	where := path(v.Env, v.Settings.Home)
	if where == "" {
		return nil
	}
	f, err := dockerconfig.Read(where)
	if err != nil {
		v.fail("mend it; clients that read it may fail, too", "%v", err)
		return nil
	}
	return f
}

// static tells whether the file holds a password for the host itself.
func (v *visit) static(f *dockerconfig.File) bool {
	return len(f.Auths(func(server string) bool {
		t, ok := v.Settings.Map.Find(server)
		return ok && t.Host == v.image.host
	})) > 0
}

// judge tells what a configuration says of the host.
func (v *visit) judge(f *dockerconfig.File, fix string) {
	host := v.image.host
	if host == "" {
		host = "a registry"
	}
	helper, store := f.HelperOf(v.image.host), f.Store()
	switch {
	case helper == dockerconfig.Helper:
		v.ok("%s has clients call this helper for %s (credHelpers)", f.Path, host)
	case helper != "":
		v.fail(fix, "%s has clients call docker-credential-%s for %s (credHelpers), not this helper", f.Path, helper, host)
	case v.image.host == "" && len(f.Hosts()) > 0:
		v.ok("%s has clients call this helper for %s (credHelpers)", f.Path, strings.Join(f.Hosts(), ", "))
	case store == dockerconfig.Helper:
		v.store(f)
	case store != "":
		v.fail(fix, "%s has clients call docker-credential-%s for all hosts (credsStore), not this helper", f.Path, store)
	case v.static(f) && f.Path == authVariable:
		v.fail(fix, "%s holds a password for %s itself (auths); clients use that, and a token of ECR's ends after twelve hours", f.Path, host)
	case v.static(f):
		v.fail(fix+"; and docker logout "+host,
			"%s holds a password for %s itself (auths), from a docker login; clients use that, and a token of ECR's ends after twelve hours", f.Path, host)
	case !f.Exists():
		v.warn(fix, "there is no %s, so Docker calls no helper", f.Path)
	default:
		v.warn(fix, "%s has clients call no helper for %s", f.Path, host)
	}
}

// store tells what a helper for all hosts hides.
func (v *visit) store(f *dockerconfig.File) {
	hidden := Hidden(f, &v.Settings.Map)
	if len(hidden) > 0 && v.Settings.Fallback == "" {
		v.warn("set a fallback (AWS_ECR_FALLBACK) that has those passwords, or credHelpers in the place of credsStore",
			"%s has clients call this helper for all hosts (credsStore), which hides the passwords in it for %s", f.Path, strings.Join(hidden, ", "))
		return
	}
	v.ok("%s has clients call this helper for all hosts (credsStore)", f.Path)
}

// Hidden lists the servers whose passwords in a file aren't found where this helper is called
// for all hosts.
func Hidden(f *dockerconfig.File, m *config.Map) []string {
	return f.Auths(func(server string) bool {
		_, ours := m.Find(server)
		return !ours
	})
}

// image is what the doctor was asked about.
type image struct {
	host, repository, reference string
}

// parseImage takes HOST, HOST/REPOSITORY, and that with a tag or a digest.
func parseImage(text string) image {
	text = registry.Bare(strings.TrimSpace(text))
	if i := strings.Index(text, "://"); i >= 0 { // of a registry, of docker: or of oci:
		text = text[i+3:]
	}
	host, rest, _ := strings.Cut(text, "/")
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
