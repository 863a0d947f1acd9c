package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"docker-credential-ecr-login/internal/awstest"
)

// A phase is something that all machines go through.
type phase string

const (
	start    phase = "start"           // all images are pulled at once, and nothing is cached
	day      phase = "day"             // an image is pulled each 20 minutes, the registries in turn
	restart  phase = "kubelet restart" // then an image of each registry is pulled
	rebooted phase = "reboot"          // the same
)

// A count counts requests to AWS.
type count struct{ metadata, sts, ecr int }

// A result holds the requests that a contender's fleet made.
type result struct {
	setting   setting
	contender contender
	machines  int
	counts    map[phase]count
	// spread is the time from the first token of the start that is to be renewed to the last; zero
	// for a contender that caches none.
	spread time.Duration
}

// atOnce is how many machines run at the same time, as many as this machine can run.
var atOnce = 25

const (
	dayLong   = 24 * time.Hour
	pullEvery = 20 * time.Minute

	tokenTTL    = 12 * time.Hour // of ECR's tokens
	instanceTTL = 6 * time.Hour  // of the keys that the stand-in gives an instance
)

// A simulation is a fleet with its server.
type simulation struct {
	ctx       context.Context
	aws       *awstest.Server
	machines  []*machine
	images    []string
	ask       client
	principal string

	mu     sync.Mutex
	issued map[string]time.Duration // when a password was first seen, by its machine's clock
}

// newSimulation makes a server, and machines in a directory that run a contender.
func newSimulation(ctx context.Context, dir string, machines int, s setting, c contender, all programs) (*simulation, error) {
	server, err := awstest.NewServer()
	if err != nil {
		return nil, err
	}
	addPrincipals(server)
	fleet, err := newMachines(s, server, dir, machines)
	if err != nil {
		server.Close()
		return nil, err
	}
	return &simulation{ctx: ctx, aws: server, machines: fleet, images: s.images, ask: c.client(all), principal: s.principal, issued: map[string]time.Duration{}}, nil
}

func (s *simulation) end() {
	for _, m := range s.machines {
		m.halt()
	}
	s.aws.Close()
}

// measure runs all phases with a contender, in a directory.
func measure(ctx context.Context, dir string, machines int, s setting, c contender, all programs) (result, error) {
	sim, err := newSimulation(ctx, dir, machines, s, c, all)
	if err != nil {
		return result{}, err
	}
	defer sim.end()
	r := result{setting: s, contender: c, machines: machines, counts: map[phase]count{}}
	for _, p := range []struct {
		phase phase
		do    func() error
	}{
		{start, func() error { return sim.each(sim.pullAll) }},
		{day, sim.day},
		{restart, func() error { return sim.each(sim.afterRestart) }},
		{rebooted, func() error { return sim.each(sim.afterReboot) }},
	} {
		sim.aws.ResetCounts()
		if err := p.do(); err != nil {
			return r, fmt.Errorf("%s: %w", p.phase, err)
		}
		r.counts[p.phase] = countOf(sim.aws)
		if p.phase == start && c.due != nil {
			if r.spread, err = sim.spread(c.due); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

func countOf(server *awstest.Server) count {
	var n count
	for action, times := range server.Counts() {
		switch service, _, _ := strings.Cut(action, ":"); service {
		case "imds":
			n.metadata += times
		case "sts":
			n.sts += times
		case "ecr", "ecr-public":
			n.ecr += times
		}
	}
	return n
}

// each runs a function for every machine, for several at once.
func (s *simulation) each(do func(*machine) error) error {
	errs := make([]error, len(s.machines))
	places := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, m := range s.machines {
		places <- struct{}{}
		wg.Go(func() {
			errs[i] = do(m)
			<-places
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// pull gets a password for an image, and checks its principal and that it hasn't expired.
func (s *simulation) pull(m *machine, image string) error {
	password, err := s.ask(s.ctx, m, image)
	if err != nil {
		return err
	}
	who, err := s.aws.VerifyToken(password, registryOf(image))
	if err != nil || !strings.HasPrefix(who, s.principal) {
		return fmt.Errorf("%s: the token of %q, not of %s: %w", image, who, s.principal, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	since, ok := s.issued[password]
	if !ok {
		s.issued[password] = m.clock
	} else if m.clock-since >= tokenTTL {
		return fmt.Errorf("%s: a token of %v", image, m.clock-since)
	}
	return nil
}

func (s *simulation) pullAll(m *machine) error {
	errs := make([]error, len(s.images))
	var wg sync.WaitGroup
	for i, image := range s.images {
		wg.Go(func() { errs[i] = s.pull(m, image) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// pullEach pulls one image of each registry, one after the other.
func (s *simulation) pullEach(m *machine) error {
	for i := 0; i < len(s.images); i += 2 {
		if err := s.pull(m, s.images[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *simulation) day() error {
	for now := pullEvery; now <= dayLong; now += pullEvery {
		if now%instanceTTL == 0 && now < dayLong {
			s.aws.ExpireSessions()
		}
		image := s.images[2*int(now/pullEvery)%len(s.images)]
		if err := s.each(func(m *machine) error {
			if err := m.move(now); err != nil {
				return err
			}
			return s.pull(m, image)
		}); err != nil {
			return fmt.Errorf("after %v: %w", now, err)
		}
	}
	return nil
}

func (s *simulation) afterRestart(m *machine) error {
	m.restartKubelet()
	return s.pullEach(m)
}

func (s *simulation) afterReboot(m *machine) error {
	if err := m.reboot(); err != nil {
		return err
	}
	return s.pullEach(m)
}

// spread returns the time from the first machine on which something is to be renewed to the last.
func (s *simulation) spread(due func(*machine) (time.Duration, error)) (time.Duration, error) {
	var all []time.Duration
	for _, m := range s.machines {
		at, err := due(m)
		if err != nil {
			return 0, err
		}
		all = append(all, at)
	}
	return slices.Max(all) - slices.Min(all), nil
}
