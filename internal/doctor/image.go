package doctor

import (
	"cmp"
	"path"
	"strings"

	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/registrymap"
)

// image is an image, or only the registry if repository is empty.
type image struct {
	// host is the registry's, with its port unless that is 443.
	host, repository, reference string
}

// parseImage reads HOST, HOST/REPOSITORY, and that with a tag or a digest; and an image of Docker
// Hub by its short name, unless the registry map knows it as a host.
func parseImage(text string, m *registrymap.Map) image {
	_, isKnown := m.Find(text)
	text, digest := strings.TrimSpace(text), ""
	if at := strings.LastIndex(text, "@sha"); at >= 0 { // else Bare takes what is before it for a user
		text, digest = text[:at], text[at:]
	}
	text = registry.Bare(text) + digest
	if i := strings.Index(text, "://"); i >= 0 { // of a registry, of docker: or of oci:
		text = text[i+3:]
	}
	host, rest, hasPath := strings.Cut(text, "/")
	// As Docker tells a host from the name of an image on its Hub:
	// https://pkg.go.dev/github.com/distribution/reference#ParseNormalizedNamed
	name, _, _ := strings.Cut(strings.ReplaceAll(host, "@", ":"), ":")
	isHost := strings.Contains(name, ".") || name == "localhost" || hasPath && name != host
	if text != "" && !isKnown && !isHost {
		if host, rest = "docker.io", text; !hasPath {
			rest = "library/" + text
		}
	}
	i := image{host: strings.TrimSuffix(strings.ToLower(host), ":443")}
	rest = strings.TrimRight(rest, "/")
	if rest == "" || rest == "v1" || rest == "v2" {
		return i
	}
	if name, digest, hasDigest := strings.Cut(rest, "@"); hasDigest {
		name, _, _ = strings.Cut(name, ":")
		i.repository, i.reference = name, digest
		return i
	}
	name, tag, _ := strings.Cut(rest, ":")
	i.repository, i.reference = name, cmp.Or(tag, "latest")
	return i
}

// byDigest reports whether the reference is a digest, such as sha256:…, and not a tag.
func (i image) byDigest() bool { return strings.Contains(i.reference, ":") }

func (i image) String() string {
	if i.repository == "" {
		return i.host
	}
	mark := ":"
	if i.byDigest() {
		mark = "@"
	}
	return path.Join(i.host, i.repository) + mark + i.reference
}
