package cli

import (
	"context"
	"maps"
)

// list answers with the registries there are credentials for, and what the
// fallback helper has. It never fails: what is missing is explained on stderr, a
// line each.
func (p *Process) list(string) answer {
	settings, err := p.settings()
	type listed struct {
		hosts map[string]string
		err   error
	}
	others := make(chan listed, 1)
	go func() {
		if settings.Fallback == "" {
			others <- listed{}
			return
		}
		hosts, err := p.listOthers(settings)
		others <- listed{hosts, err}
	}()

	all := make(map[string]string)
	lacks := []error{err}
	if err == nil {
		var hosts []string
		hosts, lacks = p.broker(settings).List(context.Background())
		for _, host := range hosts {
			all["https://"+host] = "AWS"
		}
	}
	rest := <-others
	maps.Copy(all, rest.hosts)
	if rest.err != nil {
		lacks = append(lacks, rest.err)
	}
	a := say(encode(all))
	for _, err := range lacks {
		a = a.explained("%v", err)
	}
	return a
}

func failList(_ *Process, _, reason string) answer { return say("{}").explained("%s", reason) }
