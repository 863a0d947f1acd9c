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

// A phase is something that all machines of a fleet go through.
type phase string

const (
	start    phase = "start"           // all images are pulled at once, and nothing is kept
	day      phase = "day"             // an image is pulled each 20 minutes, the registries in turn
	restart  phase = "kubelet restart" // then one of each registry
	rebooted phase = "reboot"          // so
)

// A count is of requests to AWS.
type count struct{ metadata, sts, ecr int }

// A result is what a contender's fleet cost.
type result struct {
	setting   setting
	contender contender
	machines  int
	counts    map[phase]count
	// spread is how long it takes from the first of the tokens that were got at the start to
	// the last until they are due; zero for a contender that keeps none.
	spread time.Duration
}

// atOnce is how many machines do something at the same time: as many as these machines bear.
var atOnce = 25

const (
	dayLong   = 24 * time.Hour
	pullEvery = 20 * time.Minute

	tokenLife    = 12 * time.Hour // of ECR's tokens
	instanceLife = 6 * time.Hour  // of the keys that an instance gets, here
)

// A trial is a fleet and its Server, under way.
type simulation struct {
	ctx       context.Context
	aws       *awstest.Server
	machines  []*machine
	images    []string
	ask       client
	principal string

	mu     sync.Mutex
	issued map[string]time.Duration // when a password was seen first, by the clock of its machine
}

// newTrial makes a fleet, in a directory, that asks a contender, and a Server for it.
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

// measure takes a contender's fleet, made in a directory, through all phases.
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

// each does something on every machine, on many at once.
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

// pull gets a password for an image, and sees that it is the right one and hasn't expired.
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
	} else if m.clock-since >= tokenLife {
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

// pullEach pulls an image of each registry, one after the other.
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
		if now%instanceLife == 0 && now < dayLong {
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

// spread returns how long it takes from the first machine on which something is due to the last.
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
