package cli

import "context"

func (p *Process) list() int {
	hosts := make(map[string]string)
	broker, err := p.broker()
	if err != nil {
		p.complain("%v", err)
		return p.print(hosts)
	}
	registries, lacks := broker.List(context.Background())
	for _, r := range registries {
		hosts["https://"+r.Host()] = "AWS"
	}
	for _, err := range lacks {
		p.complain("%v", err)
	}
	return p.print(hosts)
}
