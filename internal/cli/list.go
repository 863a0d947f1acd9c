package cli

import "context"

// list answers with the registries there are credentials for. It never fails:
// what is missing is explained on stderr, a line each.
func (p *Process) list(string) answer {
	hosts := make(map[string]string)
	broker, err := p.broker()
	if err != nil {
		return failList(p, "", err.Error())
	}
	registries, lacks := broker.List(context.Background())
	for _, r := range registries {
		hosts["https://"+r.Host()] = "AWS"
	}
	a := say(encode(hosts))
	for _, err := range lacks {
		a = a.explained("%v", err)
	}
	return a
}

func failList(_ *Process, _, reason string) answer { return say("{}").explained("%s", reason) }
