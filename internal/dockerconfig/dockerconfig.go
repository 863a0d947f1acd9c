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
	// Path is where the file is, symbolic links followed; or the name that [Parse] was given.
	Path string

	info      fs.FileInfo // nil if there is no file
	old, text []byte
	object    object // of text
	indent    string // of the object's members in text
	tail      []byte // what follows the object in text

	// What the file says, as far as it matters here.
	helpers map[string]string
	store   string
	auths   map[string]json.RawMessage
}

// maxFile is more than any such file takes.
const maxFile = 4 << 20

// Read reads a file, which may be absent or empty. An error names the file, and the line that
// clients can't read.
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

// Parse reads a text that is not in a file. Errors name its place.
func Parse(name, text string) (*File, error) {
	f := &File{Path: name, old: []byte(text)}
	return f, f.load(f.old)
}

// load makes the text what the file holds.
func (f *File) load(text []byte) error {
	f.text = text
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte("{}\n")
	}
	if err := f.parse(text); err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	return nil
}

func (f *File) parse(text []byte) (err error) {
	if f.object, err = parseObject(text); err != nil {
		return err
	}
	f.indent, f.tail = indentOf(text), text[bytes.LastIndexByte(text, '}')+1:]
	f.helpers, f.store, f.auths = nil, "", nil
	for _, part := range []struct {
		key  string
		into any
	}{{helpersKey, &f.helpers}, {storeKey, &f.store}, {authsKey, &f.auths}} {
		if err := f.object.checkKey(part.key); err != nil {
			return err
		}
		value := f.object.find(part.key)
		if value == nil {
			continue
		}
		if err := json.Unmarshal(value, part.into); err != nil {
			return fmt.Errorf("%s isn't what clients expect: %w", part.key, err)
		}
	}
	hosts, _ := parseObject(f.object.find(helpersKey)) // without a value, or with null, none
	for host := range f.helpers {
		if err := hosts.checkTwice(host); err != nil {
			return fmt.Errorf("%s: %w", helpersKey, err)
		}
	}
	return nil
}

// Exists reports whether there is such a file.
func (f *File) Exists() bool { return f.info != nil }

// HelperOf returns the helper that clients call for a host, without its prefix; empty if there is
// none.
func (f *File) HelperOf(host string) string { return f.helpers[host] }

// NearlyNamed returns the key of credHelpers that means a host but isn't spelled as it: with a
// scheme or a path, in capital letters, or mistyped. It is false if there is none.
func (f *File) NearlyNamed(host string) (key string, ok bool) {
	if host == "" || f.helpers[host] != "" {
		return "", false
	}
	keys := slices.Sorted(maps.Keys(f.helpers))
	for _, key := range keys {
		if address, ok := registry.ParseAddress(key); ok && address.HostPort() == host {
			return key, true
		}
	}
	for _, key := range keys {
		if registry.Hint(key) != "" && suggest.Distance(key, host) <= typos {
			return key, true
		}
	}
	return "", false
}

// typos are how many letters a word may differ from the one that was meant.
const typos = 2

// Misspelt returns a key of the file that is nearly one of those that name helpers, and the one
// that was meant; empty if there is none.
func (f *File) Misspelt() (key, meant string) {
	for _, m := range f.object {
		for _, known := range []string{helpersKey, storeKey} {
			if distance := suggest.Distance(m.key, known); distance > 0 && distance <= typos {
				return m.key, known
			}
		}
	}
	return "", ""
}

// Hosts returns the hosts for which clients call this helper.
func (f *File) Hosts() []string {
	var hosts []string
	for host, helper := range f.helpers {
		if helper == Helper {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// Store returns the helper that clients call for all other hosts; empty if there is none.
func (f *File) Store() string { return f.store }

// Auths returns the wanted servers whose credentials are in the file itself. Clients make empty
// entries for credentials that a helper keeps; those don't count.
func (f *File) Auths(wanted func(server string) bool) []string {
	var servers []string
	for server, raw := range f.auths {
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

// SetHelper has clients call this helper for a host.
func (f *File) SetHelper(host string) {
	if f.HelperOf(host) == Helper {
		return
	}
	if f.helpers == nil {
		f.helpers = map[string]string{}
	}
	f.helpers[host] = Helper
	f.setHelpers()
}

// RemoveHelper has clients call no helper for a host.
func (f *File) RemoveHelper(host string) {
	if _, isNamed := f.helpers[host]; isNamed {
		delete(f.helpers, host)
		f.setHelpers()
	}
}

func (f *File) setHelpers() {
	if len(f.helpers) == 0 {
		f.set(helpersKey, nil)
		return
	}
	value, _ := json.MarshalIndent(f.helpers, f.indent, f.indent) // such a map has no error
	f.set(helpersKey, value)
}

// SetStore has clients call this helper for all hosts that have none of their own.
func (f *File) SetStore() {
	if f.Store() != Helper {
		f.set(storeKey, quote(Helper))
	}
}

// RemoveStore has clients call no helper for such hosts.
func (f *File) RemoveStore() {
	if f.object.find(storeKey) != nil {
		f.set(storeKey, nil)
	}
}

// set sets the value of a key, or removes the key without one. The text keeps its indentation, its
// line breaks and its end.
func (f *File) set(key string, value json.RawMessage) {
	o := f.object
	switch i := o.index(key); {
	case value == nil:
		o = slices.Delete(o, i, i+1)
	case i < 0:
		o = append(o, member{key, value})
	default:
		o[i].value = value
	}
	text := append(o.text(f.indent), f.tail...)
	if crlf := []byte("\r\n"); bytes.Contains(f.old, crlf) { // in values that stay, too
		text = bytes.ReplaceAll(bytes.ReplaceAll(text, crlf, []byte("\n")), []byte("\n"), crlf)
	}
	if err := f.load(text); err != nil {
		panic(err)
	}
}

// Changed reports whether there is anything to save.
func (f *File) Changed() bool { return !bytes.Equal(f.text, f.old) }

// Text returns what the file holds, or will hold once saved.
func (f *File) Text() string { return string(f.text) }
