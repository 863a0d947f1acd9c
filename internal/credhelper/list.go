package credhelper

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"docker-credential-ecr-login/internal/deadline"
	"docker-credential-ecr-login/internal/tokensource"
)

// list answers with the registries there are credentials for, and what the fallback helper has.
// What is missing is explained on stderr, a line each. It fails only if failures are to be
// reported to clients: with the reason of an empty list, and with that of settings that can't be
// read, as nobody knows which registries they name.
func (r *run) list(ctx context.Context) (response, error) {
	resolver := r.load()
	if resolver.Settings.Fallback != "" && r.ListFallback == nil {
		return response{}, tokensource.ErrCacheMiss
	}
	var (
		fallbackHosts map[string]string
		fallbackErr   error
		wg            sync.WaitGroup
	)
	wg.Go(func() { fallbackHosts, fallbackErr = r.listFallback(ctx, resolver) })

	all := make(map[string]string)
	var omitted []error
	if resolver.Err != nil {
		omitted = append(omitted, resolver.Err)
	} else {
		source, err := resolver.Source()
		if err != nil {
			return response{}, err
		}
		var hosts []string
		if hosts, omitted, err = source.List(ctx); err != nil {
			return response{}, err
		}
		for _, host := range hosts {
			all["https://"+host] = "AWS"
		}
	}
	wg.Wait()
	maps.Copy(all, fallbackHosts)
	if fallbackErr != nil {
		omitted = append(omitted, fallbackErr)
	}
	failures := slices.DeleteFunc(slices.Clone(omitted), func(err error) bool { return errors.Is(err, tokensource.ErrPattern) })
	if r.failOnError.Load() && len(failures) > 0 && (len(all) == 0 || resolver.Err != nil) {
		return fail(name + ": " + joined(failures)), nil
	}
	var object []string
	for _, server := range slices.Sorted(maps.Keys(all)) {
		object = append(object, quote(server)+":"+quote(all[server]))
	}
	resp := say("{" + strings.Join(object, ",") + "}")
	for _, err := range omitted {
		resp = resp.withStderr("%v", err)
	}
	return resp, nil
}

// joined returns the texts of errors in one line.
func joined(errs []error) string {
	var texts []string
	for _, err := range errs {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

func (r *run) failList(err error) response {
	if r.failOnError.Load() {
		return failOnStdout(r, err)
	}
	return say("{}").withStderr("%v", err)
}

// listFallback returns what the fallback helper lists, without registries and aliases. A list asks no
// person, and so is over in the time that all others have.
func (r *run) listFallback(ctx context.Context, resolver *tokensource.Resolver) (hosts map[string]string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("internal error: %v; please report it", p)
		}
	}()
	if resolver.Settings.Fallback == "" {
		return nil, nil
	}
	ctx, cancel := deadline.Deadline{Began: r.began, Timeout: resolver.Settings.Timeout}.Context(ctx)
	defer cancel()
	hosts, err = r.ListFallback(ctx, r.Env, resolver.Settings)
	maps.DeleteFunc(hosts, func(server, _ string) bool {
		_, managed := resolver.Settings.Map.Find(server)
		return managed
	})
	return hosts, err
}
