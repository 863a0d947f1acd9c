package dockerconfig

import (
	"path/filepath"

	"docker-credential-ecr-login/internal/config"
)

// DockerPath returns where Docker finds its configuration, empty if there is no home to find it in.
func DockerPath(env config.Env, home string) string {
	if dir := env.Get("DOCKER_CONFIG"); dir != "" {
		return filepath.Join(dir, "config.json")
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".docker/config.json")
}

// PodmanPath returns where podman and its kin find a configuration of this user's that outlives a
// login (containers-auth.json(5)), empty if there is no home to find it in.
func PodmanPath(env config.Env, home string) string {
	switch {
	case env.Get("REGISTRY_AUTH_FILE") != "":
		return env.Get("REGISTRY_AUTH_FILE")
	case env.Get("XDG_CONFIG_HOME") != "":
		return filepath.Join(env.Get("XDG_CONFIG_HOME"), "containers/auth.json")
	case home == "":
		return ""
	default:
		return filepath.Join(home, ".config/containers/auth.json")
	}
}
