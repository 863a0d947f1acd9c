package doctor

import (
	"context"
	"slices"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/dockerconfig"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
)

// clients tells whether clients call this helper for the host.
func (v *visit) clients(context.Context) {
	if v.isForFallback() {
		v.clientsOfFallback()
		return
	}
	if v.image.host != "" && v.target.Host == "" && v.isOut() {
		return
	}
	v.variable()
	judged := v.kubelet()
	runners, isRunner := v.gitlabRunners()
	docker := v.client(dockerconfig.DockerPath)
	hasDocker := docker != nil && docker.Exists()
	for _, f := range runners {
		fix := "put the line there that this prints: " + program + " configure --print gitlab"
		switch {
		case v.isAbout(f):
			v.judge(f, fix, fix)
		case !hasDocker: // which the runner reads besides
			v.warn(fix, "%s names no helper, and there is no config.json", f.Path)
		}
	}
	judged = judged || isRunner
	if podman := v.client(dockerconfig.PodmanPath); podman != nil && podman.HelperOf(v.image.host) == dockerconfig.Helper {
		judged = true
		v.ok("%s has podman, buildah and skopeo call this helper for %s (credHelpers)", podman.Path, v.image.host)
	}
	switch {
	case hasDocker || docker != nil && !judged:
		fix := "run: " + v.configure()
		v.judge(docker, fix, fix+" && docker logout "+v.image.host)
	case !judged:
		v.warnOfHome()
	}
}

// isAbout reports whether a configuration says anything of the host.
func (v *visit) isAbout(f *dockerconfig.File) bool {
	_, isNear := f.NearlyNamed(v.image.host)
	wrong, _ := f.Misspelt()
	return f.Store() != "" || f.HelperOf(v.image.host) != "" || v.image.host == "" && len(f.Hosts()) > 0 || v.static(f) || isNear || wrong != ""
}

// warnOfHome tells that no client's configuration can be found.
func (v *visit) warnOfHome() {
	if dockerconfig.DockerPath(v.Env, v.Settings.Home) == "" {
		v.warn("set HOME, or DOCKER_CONFIG to the directory of config.json", "there is no home, so no client's configuration is found")
	}
}

// clientsOfFallback tells whether any client calls this helper for a host that isn't ECR's.
func (v *visit) clientsOfFallback() {
	files, isRunner := v.gitlabRunners()
	docker := v.client(dockerconfig.DockerPath)
	if docker != nil && docker.Exists() {
		files = append(files, docker)
	}
	called, key := false, v.image.host
	if slices.Contains(dockerHub, key) {
		key = hubKey
	}
	for _, f := range files {
		if helper := f.HelperOf(key); helper == dockerconfig.Helper || helper == "" && f.Store() == dockerconfig.Helper {
			called = true
			v.ok("%s has clients call this helper for %s", f.Path, v.image.host)
		}
	}
	switch {
	case called:
	case isRunner:
		v.warn("put the line there that this prints: "+program+" configure --print gitlab", "no runner calls this helper for %s, so its fallback isn't asked", v.image.host)
	case docker != nil:
		v.warn("run: "+program+" configure --creds-store", "%s has no client call this helper for %s, so its fallback isn't asked", docker.Path, v.image.host)
	default:
		v.warnOfHome()
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

// client reads a client's configuration, nil where it can't be. It is read once, and what is wrong
// with it is told once.
func (v *visit) client(path func(config.Env, string) string) *dockerconfig.File {
	where := path(v.Env, v.Settings.Home)
	if where == "" {
		return nil
	}
	f, isRead := v.read[where]
	if isRead {
		return f
	}
	f, err := dockerconfig.Read(where)
	if err != nil {
		v.fail("fix it; clients that read it may fail, too", "%v", err)
		f = nil
	}
	v.read[where] = f
	return f
}

// static tells whether the file holds a password for the host itself.
func (v *visit) static(f *dockerconfig.File) bool {
	return len(f.Auths(func(server string) bool {
		t, ok := v.Settings.Map.Find(server)
		return ok && t.Host == v.image.host
	})) > 0
}

// judge tells what a configuration says of the host, and how to fix it: what is wrong, or a password
// in it.
func (v *visit) judge(f *dockerconfig.File, fix, fixPassword string) {
	host := v.image.host
	if host == "" {
		host = "a registry"
	}
	helper, store := f.HelperOf(v.image.host), f.Store()
	near, isNear := f.NearlyNamed(v.image.host)
	wrong, meant := f.Misspelt()
	switch {
	case helper == dockerconfig.Helper:
		v.ok("%s has clients call this helper for %s (credHelpers)", f.Path, host)
	case helper != "":
		v.fail(fix, "%s has clients call docker-credential-%s for %s (credHelpers), not this helper", f.Path, helper, host)
	case v.image.host == "" && len(f.Hosts()) > 0:
		v.hosts(f, fix)
	case store == dockerconfig.Helper:
		v.listClients = append(v.listClients, f.Path)
		v.store(f)
	case store != "" && !isNear && wrong == "":
		v.fail(fix, "%s has clients call docker-credential-%s for all hosts (credsStore), not this helper", f.Path, store)
	case v.static(f):
		v.fail(fixPassword,
			"%s holds a password for %s (auths), as docker login writes it; clients use that, and a token of ECR expires after twelve hours", f.Path, host)
	case isNear:
		v.fail(fix, "%s names %q (credHelpers), which clients don't find: they look for %q", f.Path, near, host)
	case wrong != "":
		v.fail("write "+meant, "%s has the key %q, which clients don't know", f.Path, wrong)
	case !f.Exists():
		v.warn(fix, "there is no %s, so Docker calls no helper", f.Path)
	default:
		v.warn(fix, "%s has clients call no helper for %s", f.Path, host)
	}
}

// hosts judges the hosts that a configuration names this helper for.
func (v *visit) hosts(f *dockerconfig.File, fix string) {
	for _, host := range f.Hosts() {
		if address, ok := registry.ParseAddress(host); ok && host != hubKey && address.HostPort() != host {
			v.fail(fix, "%s names %q (credHelpers), which clients don't find: they look for %q", f.Path, host, address.HostPort())
			return
		}
	}
	v.ok("%s has clients call this helper for %s (credHelpers)", f.Path, strings.Join(f.Hosts(), ", "))
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
func Hidden(f *dockerconfig.File, m *registrymap.Map) []string {
	return f.Auths(func(server string) bool {
		_, ours := m.Find(server)
		return !ours
	})
}
