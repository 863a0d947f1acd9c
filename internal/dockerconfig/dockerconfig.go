// Package dockerconfig reads and edits the file in which Docker and its kin are told which
// credential helper to call: config.json, or auth.json of podman.
//
// https://docs.docker.com/reference/cli/docker/login/#credential-helpers and
// https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md describe it.
package dockerconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"docker-credential-ecr-login/internal/registry"
	"docker-credential-ecr-login/internal/suggest"
)

// Helper is what the file calls this helper.
const Helper = "ecr-login"

const (
	helpersKey = "credHelpers"
	storeKey   = "credsStore"
	authsKey   = "auths"
)

// File is a client's configuration. Use [Read] or [Parse] to get one.
type File struct {
	// Path is where it is, symbolic links followed; or what [Parse] was told.
	Path string

	info      fs.FileInfo // nil where there is no file
	old, text []byte
	object    *object // of text
	says      says
}

// says is what a file says, as far as it is of interest here.
type says struct {
	helpers map[string]string
	store   string
	auths   map[string]json.RawMessage
}

// maxFile is more than any such file takes.
const maxFile = 4 << 20

// Read reads a file, which may be absent or empty. An error names the file, and the line where
// it isn't what clients expect.
func Read(path string) (*File, error) {
	path, err := follow(path)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path}
	f.info, err = os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.info = nil
	case err != nil:
		return nil, err
	case !f.info.Mode().IsRegular():
		return nil, fmt.Errorf("%s isn't a regular file", path)
	case f.info.Size() > maxFile:
		return nil, fmt.Errorf("%s is too large for a client's configuration: %d bytes", path, f.info.Size())
	default:
		if f.old, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	return f, f.load(f.old)
}

// Parse reads what isn't in a file, but where name says.
func Parse(name, text string) (*File, error) {
	f := &File{Path: name, old: []byte(text)}
	return f, f.load(f.old)
}

// load makes the text what the file holds.
func (f *File) load(text []byte) (err error) {
	f.text = text
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte("{}\n")
	}
	if f.object, err = parseObject(text); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	if err := f.object.checkKeys(helpersKey, storeKey, authsKey); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	f.says = says{}
	read := func(key string, into any) {
		i := f.object.find(key)
		if i < 0 || err != nil {
			return
		}
		if wrong := json.Unmarshal(f.object.value(i), into); wrong != nil {
			err = fmt.Errorf("%s: %s isn't what clients expect: %w", f.Path, key, wrong)
		}
	}
	read(helpersKey, &f.says.helpers)
	read(storeKey, &f.says.store)
	read(authsKey, &f.says.auths)
	if hosts, ok := f.hosts(); ok && err == nil {
		for host := range f.says.helpers {
			if wrong := hosts.checkKeys(host); wrong != nil {
				err = fmt.Errorf("%s: %s: %w", f.Path, helpersKey, wrong)
			}
		}
	}
	return err
}

// edit makes the text, which was made from a good one, what the file holds.
func (f *File) edit(text []byte) {
	if err := f.load(text); err != nil {
		panic(err)
	}
}

// Exists tells whether there is such a file.
func (f *File) Exists() bool { return f.info != nil }

// HelperOf returns the helper that is called for a host, without its prefix, or nothing.
func (f *File) HelperOf(host string) string { return f.says.helpers[host] }

// NearlyNamed returns the key of credHelpers that means a host but isn't spelled as it: with a
// scheme or a path, in capital letters, or mistyped. It is false if there is none.
func (f *File) NearlyNamed(host string) (key string, ok bool) {
	if host == "" || f.says.helpers[host] != "" {
		return "", false
	}
	keys := slices.Sorted(maps.Keys(f.says.helpers))
	for _, key := range keys {
		if address, ok := registry.ParseAddress(key); ok && address.HostPort() == host {
			return key, true
		}
	}
	i := slices.IndexFunc(keys, func(key string) bool { return registry.Hint(key) != "" && suggest.Distance(key, host) <= typos })
	if i < 0 {
		return "", false
	}
	return keys[i], true
}

// typos are how many letters a word may differ from the one that was meant.
const typos = 2

// Misspelt returns a key of the file that is nearly one of those that name helpers, and the one that
// was meant; empty if there is none.
func (f *File) Misspelt() (key, meant string) {
	for _, m := range f.object.members {
		for _, known := range []string{helpersKey, storeKey} {
			if distance := suggest.Distance(m.key, known); distance > 0 && distance <= typos {
				return m.key, known
			}
		}
	}
	return "", ""
}

// Hosts returns the hosts for which this helper is called.
func (f *File) Hosts() []string {
	var hosts []string
	for host, helper := range f.says.helpers {
		if helper == Helper {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// Store returns the helper that is called for all other hosts, or nothing.
func (f *File) Store() string { return f.says.store }

// Auths returns those of the servers that are wanted whose credentials are in the file itself. The empty entries that clients make for what a helper keeps don't count.
func (f *File) Auths(wanted func(server string) bool) []string {
	var servers []string
	for server, raw := range f.says.auths {
		var auth map[string]any
		if wanted(server) && (json.Unmarshal(raw, &auth) != nil || holdsCredentials(auth)) {
			servers = append(servers, registry.Bare(server))
		}
	}
	slices.Sort(servers)
	return servers
}

func holdsCredentials(auth map[string]any) bool {
	for _, key := range []string{"auth", "username", "password", "identitytoken", "registrytoken"} {
		if text, ok := auth[key].(string); ok && text != "" {
			return true
		}
	}
	return false
}

// SetHelper has this helper called for a host.
func (f *File) SetHelper(host string) {
	l := layoutOf(f.object)
	hosts, ok := f.hosts()
	switch {
	case f.says.helpers[host] == Helper:
	case ok:
		f.edit(f.object.set(helpersKey, hosts.set(host, quote(Helper), l, 2), l, 1))
	default:
		f.edit(f.object.set(helpersKey, l.object(host, quote(Helper), 2), l, 1))
	}
}

// hosts is the object of hosts and their helpers, false where there is none.
func (f *File) hosts() (*object, bool) {
	i := f.object.find(helpersKey)
	if i < 0 {
		return nil, false
	}
	hosts, err := parseObject(f.object.value(i))
	return hosts, err == nil // else it is null
}

// RemoveHelper has no helper called for a host any more.
func (f *File) RemoveHelper(host string) {
	hosts, ok := f.hosts()
	if !ok {
		return
	}
	switch i := hosts.find(host); {
	case i < 0:
	case len(hosts.members) == 1:
		f.edit(f.object.remove(f.object.find(helpersKey)))
	default:
		f.edit(f.object.set(helpersKey, hosts.remove(i), layout{}, 1))
	}
}

// SetStore has this helper called for all hosts that have none of their own.
func (f *File) SetStore() { f.edit(f.object.set(storeKey, quote(Helper), layoutOf(f.object), 1)) }

// RemoveStore has no helper called for all hosts any more.
func (f *File) RemoveStore() {
	if i := f.object.find(storeKey); i >= 0 {
		f.edit(f.object.remove(i))
	}
}

// Changed tells whether there is anything to save.
func (f *File) Changed() bool { return !bytes.Equal(f.text, f.old) }

// Text is what the file holds, or will.
func (f *File) Text() string { return string(f.text) }
