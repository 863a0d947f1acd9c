package diagnose

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"docker-credential-ecr-login/internal/registrymap"
)

// The errors of this product's own that [Explain] explains.
var (
	ErrNoRegion        = errors.New("no region")
	ErrNoIdentityToken = errors.New("no web identity token")
)

// Facts are what is known about a failed attempt, beside its error.
type Facts struct {
	// Last is the last request, zero if none was sent. Role is the first role that could not be
	// assumed.
	Last Call
	Role string
	// Principal is the one that was asked for, and Where is the entry of the registry map that
	// names it.
	Principal registrymap.Principal
	Where     string
	// Files names the files of the AWS configuration. HiddenFiles are those of them in a directory
	// that this user can't read.
	Files       string
	HiddenFiles []string
	// UnreadableToken is why a web identity file can't be read, nil if each can. The SDK drops that.
	UnreadableToken *fs.PathError
	// Source names where the credentials come from. NamesMetadata is set if a profile asks for the
	// instance metadata service by name.
	Source        string
	NamesMetadata bool
	// MetadataHost is the host of the instance metadata service. ContainerHost is the host of a
	// container's credentials, empty if there is none.
	MetadataHost, ContainerHost string
	// Login is the login session that holds the credentials, nil if none does.
	Login *Login
}

// Call is one HTTP request, without its retries.
type Call struct {
	Service   string // on whose behalf it was sent, empty for none
	Host      string
	OfMachine bool   // sent to the metadata service or a container's endpoint
	Status    int    // 0 if no response came
	Code      string // AWS's error code, if any
}

// Login is a session that a person began on the command line.
type Login struct {
	Profile, File string
	Command       string // begins it again
	Role, Account string // of SSO
}

// ProxyError is a proxy's refusal to connect.
type ProxyError struct {
	Proxy  string
	Status int
}

func (e *ProxyError) Error() string {
	return fmt.Sprintf("the proxy %s answered %d %s", e.Proxy, e.Status, http.StatusText(e.Status))
}
