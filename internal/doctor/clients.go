package doctor

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"docker-credential-ecr-login/internal/config"
	"docker-credential-ecr-login/internal/dockerconfig"
	"docker-credential-ecr-login/internal/fallback"
	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
)

const printGitLab = "put the line there that this prints: " + program + " configure --print gitlab"

// clients reports whether clients call this helper for the host.
func (d *diagnosis) clients(context.Context) Finding {
	switch {
	case d.isForFallback():
		return d.clientsOfFallback()
	case d.blocked && d.image.host != "" && d.target.Host == "":
		return skipped
	}
	d.report(d.variable())
	isNode := d.kubelet()
	runners, isRunner := d.gitlabRunners()
	docker := d.client(dockerconfig.DockerPath)
	hasDocker := docker != nil && docker.Exists()
	for _, f := range runners {
		finding := d.judge(f, printGitLab, printGitLab)
		if finding.State == "" && !hasDocker { // which the runner reads besides
			finding = warn(printGitLab, "%s names no helper, and there is no config.json", f.Path)
		}
		d.report(finding)
	}
	podman := d.client(dockerconfig.PodmanPath)
	isPodman := podman != nil && podman.HelperOf(d.image.host) == dockerconfig.Helper
	if isPodman {
		d.report(ok("%s has podman, buildah and skopeo call this helper for %s (credHelpers)", podman.Path, d.image.host))
	}
	isOther := isNode || isRunner || isPodman
	switch {
	case docker == nil && !isOther:
		return d.withoutHome()
	case !hasDocker && isOther:
		return Finding{}
	}
	fix := "run: " + d.configure()
	finding := d.judge(docker, fix, fix+" && docker logout "+d.image.host)
	switch {
	case finding.State != "":
		return finding
	case !hasDocker:
		return warn(fix, "there is no %s, so Docker calls no helper", docker.Path)
	}
	return warn(fix, "%s has clients call no helper for %s", docker.Path, d.hostName())
}

// hostName returns the host in words.
func (d *diagnosis) hostName() string { return cmp.Or(d.image.host, "a registry") }

// withoutHome warns if there is no home to find a client's configuration in.
func (d *diagnosis) withoutHome() Finding {
	if dockerconfig.DockerPath(d.Env, d.Settings.Home) != "" {
		return Finding{}
	}
	return warn("set HOME, or DOCKER_CONFIG to the directory of config.json", "there is no home, so no client's configuration is found")
}

// configure returns the command that has Docker call this helper for the host.
func (d *diagnosis) configure() string {
	return program + " configure " + cmp.Or(d.image.host, "HOST")
}

// authVariable holds a client's configuration. GitLab Runner reads it from the variables of a job
// and from its config.toml, never from its own environment. Docker reads it from its environment
// since 28.3, and only passwords ("auths"); it reports every other key as unknown:
// https://github.com/docker/cli/pull/6008
const authVariable = "DOCKER_AUTH_CONFIG"

// variable judges [authVariable] in this environment.
func (d *diagnosis) variable() Finding {
	text := d.Env.Get(authVariable)
	if text == "" {
		return Finding{}
	}
	f, err := dockerconfig.Parse(authVariable, text)
	switch {
	case err != nil:
		return fail("fix it", "%v", err)
	case d.holdsPassword(f):
		return fail("unset it", "%s holds a password for %s (auths); Docker 28.3 and later uses that instead of this helper, and a token of ECR expires after twelve hours",
			authVariable, d.image.host)
	case f.Store() != "" || f.HelperOf(d.image.host) != "":
		return warn("for GitLab Runner run: "+program+" configure --print gitlab; for Docker run: "+d.configure(),
			"%s in this environment names a helper, which no client reads there: GitLab Runner reads it in its config.toml and in a job's variables, Docker 28.3 and later reads only passwords in it", authVariable)
	}
	return Finding{}
}

// client returns the client's configuration at a path, or nil if it can't be read. It reads a file,
// and reports what is wrong with it, once.
func (d *diagnosis) client(path func(config.Env, string) string) *dockerconfig.File {
	where := path(d.Env, d.Settings.Home)
	if where == "" {
		return nil
	}
	f, isRead := d.files[where]
	if isRead {
		return f
	}
	f, err := dockerconfig.Read(where)
	if err != nil {
		d.report(fail("fix it; clients that read it may fail, too", "%v", err))
		f = nil
	}
	d.files[where] = f
	return f
}

// holdsPassword reports whether a file holds a password for the host itself.
func (d *diagnosis) holdsPassword(f *dockerconfig.File) bool {
	return len(f.Auths(func(server string) bool {
		t, isECR := d.Settings.Map.Find(server)
		return isECR && t.Host == d.image.host
	})) > 0
}

// judge returns the finding about what a configuration says of the host, and an empty one if it
// says nothing. fix is for a wrong entry, fixPassword for a password in the file.
func (d *diagnosis) judge(f *dockerconfig.File, fix, fixPassword string) Finding {
	host := d.hostName()
	helper, store := f.HelperOf(d.image.host), f.Store()
	near, isNear := f.NearlyNamed(d.image.host)
	wrong, meant := f.Misspelt()
	switch {
	case helper == dockerconfig.Helper:
		return ok("%s has clients call this helper for %s (credHelpers)", f.Path, host)
	case helper != "":
		return fail(fix, "%s has clients call docker-credential-%s for %s (credHelpers), not this helper", f.Path, helper, host)
	case d.image.host == "" && len(f.Hosts()) > 0:
		return judgeHosts(f, fix)
	case store == dockerconfig.Helper:
		d.listClients = append(d.listClients, f.Path)
		return d.judgeStore(f)
	case store != "" && !isNear && wrong == "":
		return fail(fix, "%s has clients call docker-credential-%s for all hosts (credsStore), not this helper", f.Path, store)
	case d.holdsPassword(f):
		return fail(fixPassword,
			"%s holds a password for %s (auths), as docker login writes it; clients use that, and a token of ECR expires after twelve hours", f.Path, host)
	case isNear:
		return notFoundByClients(f, fix, near, host)
	case wrong != "":
		return fail("write "+meant, "%s has the key %q, which clients don't know", f.Path, wrong)
	}
	return Finding{}
}

func notFoundByClients(f *dockerconfig.File, fix, key, host string) Finding {
	return fail(fix, "%s names %q (credHelpers), which clients don't find: they look for %q", f.Path, key, host)
}

// judgeHosts judges the hosts that a configuration names this helper for.
func judgeHosts(f *dockerconfig.File, fix string) Finding {
	for _, host := range f.Hosts() {
		address, isAddress := registry.ParseAddress(host)
		if isAddress && host != hubKey && address.HostPort() != host {
			return notFoundByClients(f, fix, host, address.HostPort())
		}
	}
	return ok("%s has clients call this helper for %s (credHelpers)", f.Path, strings.Join(f.Hosts(), ", "))
}

// judgeStore judges a configuration that names this helper for all hosts.
func (d *diagnosis) judgeStore(f *dockerconfig.File) Finding {
	if hidden := Hidden(f, &d.Settings.Map); len(hidden) > 0 && d.Settings.Fallback == "" {
		return warn("set a fallback (AWS_ECR_FALLBACK) that has those passwords, or credHelpers in the place of credsStore",
			"%s has clients call this helper for all hosts (credsStore), which hides the passwords in it for %s", f.Path, strings.Join(hidden, ", "))
	}
	return ok("%s has clients call this helper for all hosts (credsStore)", f.Path)
}

// Hidden returns the servers whose passwords in a file clients don't find if they call this helper
// for all hosts.
func Hidden(f *dockerconfig.File, m *registrymap.Map) []string {
	return f.Auths(func(server string) bool {
		_, isECR := m.Find(server)
		return !isECR
	})
}

// isForFallback reports whether the host isn't ECR's, and there is a fallback helper for it.
func (d *diagnosis) isForFallback() bool {
	return d.image.host != "" && d.target.Host == "" && !d.blocked && d.Settings.Fallback != ""
}

// clientsOfFallback reports whether any client calls this helper for a host that isn't ECR's.
func (d *diagnosis) clientsOfFallback() Finding {
	files, isRunner := d.gitlabRunners()
	docker := d.client(dockerconfig.DockerPath)
	if docker != nil && docker.Exists() {
		files = append(files, docker)
	}
	isCalled, key := false, d.image.host
	if slices.Contains(dockerHub, key) {
		key = hubKey
	}
	for _, f := range files {
		if cmp.Or(f.HelperOf(key), f.Store()) == dockerconfig.Helper {
			isCalled = true
			d.report(ok("%s has clients call this helper for %s", f.Path, d.image.host))
		}
	}
	switch {
	case isCalled:
		return Finding{}
	case isRunner:
		return warn(printGitLab, "no runner calls this helper for %s, so its fallback isn't asked", d.image.host)
	case docker != nil:
		return warn("run: "+program+" configure --creds-store", "%s has no client call this helper for %s, so its fallback isn't asked", docker.Path, d.image.host)
	}
	return d.withoutHome()
}

// fallback reports what the fallback helper has for a host that isn't ECR's. It is the last step
// for such a host. The helper is asked for its list only: a get may ask a person for a passphrase.
func (d *diagnosis) fallback(ctx context.Context) Finding {
	if !d.isForFallback() {
		return Finding{}
	}
	d.done = true
	helper := config.HelperPrefix + d.Settings.Fallback
	servers, err := fallback.List(ctx, d.Env, d.Settings)
	if err != nil {
		return fail("fix it, or name another helper", "%v", err)
	}
	names, login := []string{d.image.host}, "docker login "+d.image.host
	if slices.Contains(dockerHub, d.image.host) {
		names, login = dockerHub, "docker login"
	}
	for server := range servers {
		address, isAddress := registry.ParseAddress(server)
		if isAddress && slices.Contains(names, address.HostPort()) {
			return ok("%s has credentials for %s", helper, registry.Bare(server))
		}
	}
	return warn("run: "+login, "%s has no credentials for %s", helper, d.image.host)
}

// hubKey is the name under which clients keep the credentials of Docker Hub:
// https://docs.docker.com/reference/cli/docker/login/
const hubKey = "https://index.docker.io/v1/"

// dockerHub are the hosts of Docker Hub.
var dockerHub = []string{"docker.io", "index.docker.io", "registry-1.docker.io"}
