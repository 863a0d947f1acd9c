package dockerconfig

import (
	"path/filepath"

	"docker-credential-ecr-login/internal/config"
)

// DockerPath is where Docker's configuration is, as Docker itself finds it; empty where there
// is no home to find it in.
func DockerPath(env config.Env, home string) string {
	if dir := env.Get("DOCKER_CONFIG"); dir != "" {
		return filepath.Join(dir, "config.json")
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".docker/config.json")
}

// PodmanPath is where podman and its kin look for a configuration of this user's that is
// there after a login, too (containers-auth.json(5)); empty where there is no home to find it
// in.
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
