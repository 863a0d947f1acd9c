package doctor

import (
	"context"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/dockerconfig"
)

// clients tells whether clients call this helper for the host.
func (v *visit) clients(context.Context) {
	if v.image.host != "" && v.target.Host == "" {
		v.clientsOfFallback()
		return
	}
	v.variable()
	judged := v.kubelet()
	judged = v.gitlabRunner() || judged
	if podman := v.client(dockerconfig.PodmanPath); podman != nil && podman.HelperOf(v.image.host) == dockerconfig.Helper {
		judged = true
		v.ok("%s has podman, buildah and skopeo call this helper for %s (credHelpers)", podman.Path, v.image.host)
	}
	docker := v.client(dockerconfig.DockerPath)
	switch {
	case docker != nil && (docker.Exists() || !judged):
		v.judge(docker, v.configure(), "docker logout "+v.image.host)
	case docker == nil && !judged && dockerconfig.DockerPath(v.Env, v.Settings.Home) == "":
		v.warn("set HOME, or DOCKER_CONFIG to the directory of config.json", "there is no home, so no client's configuration is found")
	}
}

// clientsOfFallback tells whether Docker calls this helper for a host that isn't ECR's.
func (v *visit) clientsOfFallback() {
	if v.isOut() {
		return
	}
	docker := v.client(dockerconfig.DockerPath)
	switch {
	case docker == nil:
	case docker.HelperOf(v.image.host) == dockerconfig.Helper || docker.HelperOf(v.image.host) == "" && docker.Store() == dockerconfig.Helper:
		v.ok("%s has clients call this helper for %s", docker.Path, v.image.host)
	default:
		v.warn("run: "+program+" configure --creds-store", "%s has clients not call this helper for %s, so they don't ask its fallback", docker.Path, v.image.host)
	}
}

// configure is the command that has Docker call this helper for the host.
func (v *visit) configure() string {
	host := v.image.host
	if host == "" {
		host = "HOST"
	}
	return program + " configure " + host
}

const program = config.HelperPrefix + dockerconfig.Helper

// authVariable holds a client's configuration. GitLab Runner reads it from the variables of a job
// and from its config.toml, never from its own environment. Docker reads it from its environment
// since 28.3, and only passwords ("auths"); it reports every other key as unknown:
// https://github.com/docker/cli/pull/6008
const authVariable = "DOCKER_AUTH_CONFIG"

// variable judges [authVariable] in this environment.
func (v *visit) variable() {
	text := v.Env.Get(authVariable)
	if text == "" {
		return
	}
	f, err := dockerconfig.Parse(authVariable, text)
	switch {
	case err != nil:
		v.fail("fix it", "%v", err)
	case v.static(f):
		v.fail("unset it", "%s holds a password for %s (auths); Docker 28.3 and later uses that instead of this helper, and a token of ECR expires after twelve hours",
			authVariable, v.image.host)
	case f.Store() != "" || f.HelperOf(v.image.host) != "":
		v.warn("for GitLab Runner run: "+program+" configure --print gitlab; for Docker run: "+v.configure(),
			"%s in this environment names a helper, which no client reads there: GitLab Runner reads it in its config.toml and in a job's variables, Docker 28.3 and later reads only passwords in it", authVariable)
	}
}

// client reads a client's configuration, nil where it can't be.
func (v *visit) client(path func(config.Env, string) string) *dockerconfig.File {
	where := path(v.Env, v.Settings.Home)
	if where == "" {
		return nil
	}
	f, err := dockerconfig.Read(where)
	if err != nil {
		v.fail("fix it; clients that read it may fail, too", "%v", err)
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

// judge tells what a configuration says of the host. The command configure changes it, and logout
// removes a password from it.
func (v *visit) judge(f *dockerconfig.File, configure, logout string) {
	host, fix := v.image.host, "run: "+configure
	if host == "" {
		host = "a registry"
	}
	helper, store := f.HelperOf(v.image.host), f.Store()
	near, isNear := f.NearlyNamed(v.image.host)
	switch {
	case helper == dockerconfig.Helper:
		v.ok("%s has clients call this helper for %s (credHelpers)", f.Path, host)
	case helper != "":
		v.fail(fix, "%s has clients call docker-credential-%s for %s (credHelpers), not this helper", f.Path, helper, host)
	case v.image.host == "" && len(f.Hosts()) > 0:
		v.ok("%s has clients call this helper for %s (credHelpers)", f.Path, strings.Join(f.Hosts(), ", "))
	case store == dockerconfig.Helper:
		v.listClients = append(v.listClients, f.Path)
		v.store(f)
	case store != "" && !isNear:
		v.fail(fix, "%s has clients call docker-credential-%s for all hosts (credsStore), not this helper", f.Path, store)
	case v.static(f):
		v.fail(fix+" && "+logout,
			"%s holds a password for %s (auths), as docker login writes it; clients use that, and a token of ECR expires after twelve hours", f.Path, host)
	case isNear:
		v.fail(fix, "%s names %q (credHelpers), which clients don't find: they look for %q", f.Path, near, host)
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
