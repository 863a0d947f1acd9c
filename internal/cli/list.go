package cli

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"docker-credential-ecr-login/internal/token"
)

// list answers with the registries there are credentials for, and what the
// fallback helper has. It never fails: what is missing is explained on stderr, a
// line each.
func (p *Process) list(string) answer {
	settings, err := p.settings()
	if settings.Fallback != "" && p.Fallback == nil {
		return answer{cold: true}
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
	lacks := []error{err}
	if err == nil {
		broker, err := p.broker(settings)
		if err != nil {
			return answer{cold: true}
		}
		var hosts []string
		hosts, lacks = broker.List(context.Background())
		if slices.ContainsFunc(lacks, isCold) {
			return answer{cold: true}
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
	var object []string
	for _, server := range slices.Sorted(maps.Keys(all)) {
		object = append(object, quote(server)+":"+quote(all[server]))
	}
	a := say("{" + strings.Join(object, ",") + "}")
	for _, err := range lacks {
		a = a.explained("%v", err)
	}
	return a
}

func isCold(err error) bool { return errors.Is(err, token.ErrCold) }

func failList(_ *Process, _, reason string) answer { return say("{}").explained("%s", reason) }
