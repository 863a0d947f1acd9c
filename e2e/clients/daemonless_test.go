package clients

import (
	"testing"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// Clients without a daemon. They find the helper in Docker's configuration.

const dockerConfig = ".docker/config.json"

func TestCrane(t *testing.T) {
	path, version := built(t, "crane")
	client{
		name: "crane", path: path, version: version,
		file: dockerConfig, config: withStore,
		push: "crane push image.tar $REF", pull: "crane pull $REF pulled.tar", pulledTar: "pulled.tar",
	}.pushAndPull(t)
}

func TestOras(t *testing.T) {
	path, version := built(t, "oras")
	client{
		name: "oras", path: path, version: version,
		file: dockerConfig, config: withStore,
		push: "oras push $REF image.tar", pull: "oras pull --output pulled $REF",
		pulledFile: map[string]string{"pulled/image.tar": "image.tar"},
	}.pushAndPull(t)
}

// regctl calls list, which also covers public ECR.
func TestRegctl(t *testing.T) {
	path, version := built(t, "regctl")
	client{
		name: "regctl", path: path, version: version,
		file: dockerConfig, config: withStore,
		push: "regctl image import $REF image.tar", pull: "regctl image export $REF pulled.tar", pulledTar: "pulled.tar",
		also: map[string]int{"ecr-public:GetAuthorizationToken": 1},
	}.pushAndPull(t)
}

func TestHelm(t *testing.T) {
	path, version := built(t, "helm")
	client{
		name: "helm", path: path, version: version,
		file: dockerConfig, config: withStore,
		prepare: func(t *testing.T, env *testenv.Env) {
			env.Write(t, "chart/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n")
			env.Write(t, "pulled/.keep", "")
		},
		before: []string{"helm package chart"},
		push:   "helm push app-1.0.0.tgz oci://$HOST/charts",
		pull:   "helm pull oci://$HOST/charts/app --version 1.0.0 --destination pulled",
		pulledFile: map[string]string{
			"pulled/app-1.0.0.tgz": "app-1.0.0.tgz",
		},
	}.pushAndPull(t)
}
