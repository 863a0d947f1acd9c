package clients

import (
	"fmt"
	"path/filepath"
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// podman, buildah and skopeo share their packages. These support credHelpers, don't support
// credsStore, and have a setting for a helper of all registries.

const podmanConfig = "run/containers/auth.json"

// ownStorage puts their storage and state below the home.
func ownStorage(t *testing.T, env *testenv.Env) {
	t.Helper()
	in := func(dir string) string { return filepath.Join(env.Home, dir) }
	env.Write(t, "storage.conf", fmt.Sprintf("[storage]\ndriver = \"vfs\"\ngraphroot = %q\nrunroot = %q\n", in("graph"), in("runroot")))
	env.Write(t, "containers.conf", fmt.Sprintf(
		"[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\nlock_type = \"file\"\ntmp_dir = %q\nstatic_dir = %q\nvolume_path = %q\n",
		in("tmp"), in("static"), in("volumes")))
	env.Set("CONTAINERS_STORAGE_CONF="+in("storage.conf"), "CONTAINERS_CONF="+in("containers.conf"))
}

// privateMount is a shell command that runs a program in a mount namespace with its own state of
// registries, for which there is no setting.
const privateMount = `mkdir -p /var/lib/containers && mount -t tmpfs none /var/lib/containers && exec "$@"`

func TestSkopeo(t *testing.T) {
	path, version := installed(t, "skopeo")
	client{
		name: "skopeo", path: path, version: version, shell: privateMount,
		file: podmanConfig, config: withHelpers,
		push: "skopeo copy docker-archive:image.tar docker://$REF",
		pull: "skopeo copy docker://$REF docker-archive:pulled.tar", pulledTar: "pulled.tar",
	}.pushAndPull(t)
}

func TestPodman(t *testing.T) {
	path, version := installed(t, "podman")
	client{
		name: "podman", path: path, version: version, shell: privateMount,
		file: "registries.conf", config: "testdata/docker/registries.conf",
		prepare: func(t *testing.T, env *testenv.Env) {
			ownStorage(t, env)
			env.Set("CONTAINERS_REGISTRIES_CONF=" + filepath.Join(env.Home, "registries.conf"))
		},
		before: []string{"podman load --input image.tar"},
		push:   "podman push $REF", remove: "podman rmi $REF", pull: "podman pull $REF",
		pulledID: "podman image inspect --format {{.Id}} $REF",
	}.pushAndPull(t)
}

func TestBuildah(t *testing.T) {
	path, version := installed(t, "buildah")
	client{
		name: "buildah", path: path, version: version, shell: privateMount,
		file: dockerConfig, config: withHelpers, prepare: ownStorage,
		before: []string{"buildah pull docker-archive:image.tar"},
		push:   "buildah push $REF", remove: "buildah rmi $REF", pull: "buildah pull $REF",
		pulledID: "buildah images --no-trunc --quiet $REF",
	}.pushAndPull(t)
}
