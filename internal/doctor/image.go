package doctor

import (
	"path/filepath"
	"strings"

	"docker-credential-ecr-login/internal/registry"
)

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
	return filepath.Join(i.host, i.repository) + mark + i.reference
}
