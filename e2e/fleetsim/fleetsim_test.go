package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// namespacesRefused says why this machine refuses the namespaces that machines of a simulation
// need; nil if it doesn't.
var namespacesRefused error

func TestMain(m *testing.M) {
	os.Exit(inNamespaces(func(refused error) int {
		defer testenv.Clean()
		namespacesRefused = refused
		return m.Run()
	}))
}

// A small fleet makes as many requests a machine as docs/scale.md says of a large one.
func TestFleetSimulation(t *testing.T) {
	testenv.Require(t, namespacesRefused)
	// Few machines at a time: a get that renews a token waits 2 s for the new one and then serves
	// the old one, which would change the counts.
	const machines = 8
	atOnce = 2
	want := []map[phase]count{
		{ // a role of another account: fresh for five to six hours
			start:    {metadata: 3, sts: 1, ecr: 1},
			day:      {metadata: 12, sts: 4, ecr: 4},
			restart:  {},
			rebooted: {metadata: 3, sts: 1, ecr: 1},
		},
		{ // the instance's own role: for fifty to sixty minutes
			start:    {metadata: 3, ecr: 1},
			day:      {metadata: 72, ecr: 24},
			restart:  {},
			rebooted: {metadata: 3, ecr: 1},
		},
		{ // a service account's role, which is the same after a boot
			start:    {sts: 1, ecr: 1},
			day:      {sts: 4, ecr: 4},
			restart:  {},
			rebooted: {},
		},
		{ // the instance's own role at public ECR
			start:    {metadata: 3, ecr: 1},
			day:      {metadata: 72, ecr: 24},
			restart:  {},
			rebooted: {metadata: 3, ecr: 1},
		},
	}
	for i, s := range settings {
		t.Run(s.name, func(t *testing.T) {
			r, err := measure(t.Context(), t.TempDir(), machines, s, s.contenders[0], programs{helper: testenv.Binary(t)})
			testenv.Must(t, err)
			for p, want := range want[i] {
				want = count{want.metadata * machines, want.sts * machines, want.ecr * machines}
				if got := r.counts[p]; got != want {
					t.Errorf("%s: %+v, want %+v", p, got, want)
				}
			}
			if r.spread < time.Minute {
				t.Errorf("the tokens of %d machines are due within %v", machines, r.spread)
			}
		})
	}
}

// simulateOneMachine returns a simulation of one runner with this helper.
func simulateOneMachine(t *testing.T) *simulation {
	t.Helper()
	testenv.Require(t, namespacesRefused)
	one, err := newSimulation(t.Context(), t.TempDir(), 1, settings[0], settings[0].contenders[0], programs{helper: testenv.Binary(t)})
	testenv.Must(t, err)
	t.Cleanup(one.end)
	return one
}

// Machines that share a home on a network disk don't share the tokens of their instances.
func TestSharedHome(t *testing.T) {
	alone := simulateOneMachine(t)
	one := alone.machines[0]
	other, err := newMachine(one.home, one.env[2:])
	testenv.Must(t, err)
	t.Cleanup(other.halt)
	for range 2 {
		for _, m := range []*machine{one, other} {
			testenv.Must(t, alone.pull(m, private[0]))
		}
	}
	if n := countOf(alone.aws).ecr; n != 2 {
		t.Errorf("two machines in one home called ECR %d times, want once each", n)
	}
}

// Moving a machine's clock makes its cache older, and the simulation detects an expired token.
func TestClock(t *testing.T) {
	trial := simulateOneMachine(t)
	m, ask, first := trial.machines[0], trial.ask, ""
	trial.ask = func(ctx context.Context, m *machine, image string) (string, error) {
		password, err := ask(ctx, m, image)
		if first == "" {
			first = password
		}
		return first, err
	}
	testenv.Must(t, trial.pull(m, private[0]))
	if err := m.move(tokenTTL); err != nil {
		t.Fatal(err)
	}
	if err := trial.pull(m, private[0]); err == nil || !strings.Contains(err.Error(), "a token of 12h") {
		t.Errorf("a token past its life is taken: %v", err)
	}
	if n := countOf(trial.aws).ecr; n != 2 {
		t.Errorf("%d calls of ECR in two half days, want 2", n)
	}
}

func TestReport(t *testing.T) {
	r := result{
		setting: settings[0], contender: settings[0].contenders[0], machines: 200, spread: 50 * time.Minute,
		counts: map[phase]count{start: {600, 200, 200}, day: {2700, 900, 900}, rebooted: {600, 200, 200}},
	}
	together := r
	together.spread = 0
	text := report([]result{r, together}, []quotaStart{{r.contender, 1200, 465, 1002, 40 * time.Second}}, 200, "v1", time.Minute)
	for _, want := range []string{
		"| 3, 1, 1 | 13.5, 4.5, 4.5 | – | 3, 1, 1 | 50 min |",
		"| 10 | this helper | 30 | 10 (0.017 s) | 10 (0.02 s) | 135 | 45 (< 0.01 %) | 45 (< 0.01 %) | 0.2 |",
		"| 10,000 | this helper | 30,000 | 10,000 (17 s) | 10,000 (20 s) | 135,000 | 45,000 (0.087 %) | 45,000 (0.1 %) | 200 |",
		"| < 1 min |",
		"| 10,000 at once |",
		"200 machines are started where ECR takes 10 requests a second",
		"| this helper | 1,200 | 465 | 1,002 | 40 s |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// A start within the quota is not throttled.
func TestStartWithinQuota(t *testing.T) {
	testenv.Require(t, namespacesRefused)
	s := settings[0]
	c, err := startAboveQuota(t.Context(), t.TempDir(), 3, 100, s, s.contenders[0], programs{helper: testenv.Binary(t)})
	testenv.Must(t, err)
	if c.pulls != 18 || c.refused != 0 || c.requests != 3 {
		t.Errorf("of %d pulls %d were refused, with %d requests; want 18, 0 and 3", c.pulls, c.refused, c.requests)
	}
}
