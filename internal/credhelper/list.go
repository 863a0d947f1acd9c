package credhelper

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"docker-credential-ecr-login/internal/tokensource"
)

// list answers with the registries there are credentials for, and what the fallback helper has.
// What is missing is explained on stderr, a line each. It fails only if failures are to be
// reported to clients: with the reason of an empty list, and with that of settings that can't be
// read, as nobody knows which registries they name.
func (p *Process) list(string) response {
	settings, err := p.settings()
	if settings.Fallback != "" && p.Fallback == nil {
		return response{miss: true}
	}
	type listed struct {
		hosts map[string]string
		err   error
	}
	others := make(chan listed, 1)
	go func() {
		hosts, err := p.listOthers(settings)
		others <- listed{hosts, err}
	}()

	all := make(map[string]string)
	var lacks []error
	if err != nil {
		lacks = append(lacks, err)
	} else {
		broker, err := p.broker(settings)
		if err != nil {
			return response{miss: true}
		}
		var hosts []string
		hosts, lacks = broker.List(context.Background())
		if slices.ContainsFunc(lacks, isCold) {
			return response{miss: true}
		}
		for _, host := range hosts {
			all["https://"+host] = "AWS"
		}
	}
	rest := <-others
	maps.Copy(all, rest.hosts)
	if rest.err != nil {
		lacks = append(lacks, rest.err)
	}
	failures := slices.DeleteFunc(slices.Clone(lacks), func(err error) bool { return errors.Is(err, tokensource.ErrPattern) })
	if p.failOnError.Load() && len(failures) > 0 && (len(all) == 0 || err != nil) {
		return fail(name + ": " + joined(failures))
	}
	var object []string
	for _, server := range slices.Sorted(maps.Keys(all)) {
		object = append(object, quote(server)+":"+quote(all[server]))
	}
	a := say("{" + strings.Join(object, ",") + "}")
	for _, err := range lacks {
		a = a.withStderr("%v", err)
	}
	return a
}

// joined returns the texts of errors as one.
func joined(errs []error) string {
	var texts []string
	for _, err := range errs {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

func isCold(err error) bool { return errors.Is(err, tokensource.ErrCacheMiss) }

func (p *Process) failList(_, reason string) response {
	if p.failOnError.Load() {
		return fail(name + ": " + reason)
	}
	return say("{}").withStderr("%s", reason)
}
