package cli

import (
	"context"
	"encoding/json"
	"strings"
)

// credentials are what get answers and store is given.
type credentials struct {
	ServerURL string
	Username  string
	Secret    string
}

func (p *Process) get() int {
	server, r, isECR := p.server()
	if server == "" {
		p.say(noServer)
		return 1
	}
	if !isECR {
		p.say(notFound)
		return 1
	}
	broker, err := p.broker()
	if err != nil {
		p.complain("%s: %v", r.Host(), err)
		p.say(notFound)
		return 1
	}
	password, err := broker.Password(context.Background(), r)
	switch {
	case err == nil:
		return p.print(credentials{server, "AWS", password})
	case broker.Settings.FailLoudly && !r.Public:
		p.say(name + ": " + r.Host() + ": " + err.Error())
	case r.Public:
		// Public images can be pulled by anybody.
		p.say(notFound)
	default:
		p.complain("%s: %v", r.Host(), err)
		p.say(notFound)
	}
	return 1
}

// print writes a value as JSON.
func (p *Process) print(value any) int {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		p.complain("%v", err)
		return 1
	}
	if _, err := p.Stdout.Write([]byte(text.String())); err != nil {
		p.complain("the answer can't be written: %v", err)
		return 1
	}
	return 0
}
