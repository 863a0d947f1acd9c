package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// startQuota returns a quota that is to so many machines what ECR's quota is to the largest fleet.
func startQuota(machines int) int { return max(1, ecrQuota*machines/sizes[len(sizes)-1]) }

var sizes = []int{10, 100, 1000, 10000}

// report returns all results as a Markdown document.
func report(results []result, starts []quotaStart, machines int, provider string, took time.Duration) string {
	var text strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	line("# What fleets cost AWS")
	line("")
	line("Written by `make scale` on %s, which took %s: %d cores, %s.", time.Now().Format(time.DateOnly), took.Round(time.Second), runtime.NumCPU(), runtime.Version())
	line("")
	line("Measured on fleets of %d machines, each machine with a home, a boot id and a clock of its own. The programs are real processes; AWS is the stand-in, which counts", machines)
	line("what it is asked. *The peer* is awslabs/amazon-ecr-credential-helper %s, *AWS's provider* k8s.io/cloud-provider-aws %s.", testenv.PeerVersion, provider)
	line("")
	line("- *start*: a machine pulls six images at once, two of each of three registries in one region, or six of public ECR, which is one; nothing is kept yet;")
	line("- *a day*: after that it pulls an image every %.0f minutes for %.0f hours, from the registries in turn;", pullEvery.Minutes(), dayLong.Hours())
	line("- *restart*: its kubelet forgets what it had in memory, and an image of each registry is pulled;")
	line("- *reboot*: so after another boot.")
	line("")
	line("The machine's clock is moved by making what its programs have kept older. What a kubelet keeps in memory is kept as the kubelet does, which starts its provider for each image that is wanted at the same")
	line("time. The instance's keys are others every %.0f hours. Every token was seen to be the right principal's, and none to be used after its twelve hours.", instanceTTL.Hours())
	line("")
	line("## One machine")
	line("")
	line("Requests to the instance's metadata service, STS and ECR, the mean of the %d machines. The metadata service is each machine's own: it shares 1,024 packets a second", machines)
	line("with DNS.")
	line("")
	line("| whose images | program | asked by | start | a day | restart | reboot | renewals fall into |")
	line("|---|---|---|--:|--:|--:|--:|--:|")
	setting := ""
	for _, r := range results {
		name := ""
		if r.setting.name != setting {
			setting = r.setting.name
			name = setting + ": " + r.setting.about
		}
		restarted, spread := "–", "–"
		if r.contender.asked == byNodes {
			restarted = r.threes(restart)
		}
		if r.contender.due != nil {
			spread = "< 1 min"
			if r.spread >= time.Minute {
				spread = fmt.Sprintf("%.0f min", r.spread.Minutes())
			}
		}
		line("| %s | %s | %s | %s | %s | %s | %s | %s |", name, r.contender.label, r.contender.asked,
			r.threes(start), r.threes(day), restarted, r.threes(rebooted), spread)
	}
	line("")
	line("*Renewals fall into*: the time within which the tokens come due of the %d machines that were started together, by what the programs said or kept. A machine renews at its first pull after that.", machines)
	line("A dash: there is no kubelet, or the peer, whose tokens are kept by the key that asked for them.")
	line("")
	line("More pulls a day: the peer asks IMDS at each, and with a role STS and ECR, too, as each session of a role has another key; as the instance's own role it asks ECR when the instance's keys are others, or")
	line("half of a token's life is over. What the others ask is bounded by how long a token counts. This helper renews after five to six hours, so at most five times a day for all registries of a region; under the")
	line("instance's own role, which can be changed unseen, after 50 to 60 minutes, so at most 29 times. AWS's provider renews after six hours, so at most four times a day for each registry, and as often")
	line("again for each image more that is wanted at that moment.")
	line("")
	line("## Many machines")
	line("")
	line("The figures above, times the machines, for one account and region. Its quotas are %d requests a second to ECR, %d to public ECR and %d to STS. In brackets: how long a start takes at the whole", ecrQuota, publicQuota, stsQuota)
	line("quota, and which part of it a day takes on average. *Renewals*: how many machines come due in a minute, on average, while they do, if all were started together.")
	for i := 0; i < len(results); {
		s := results[i].setting
		line("")
		line("### %s", strings.ToUpper(s.name[:1])+s.name[1:])
		line("")
		line("| machines | program | start: IMDS | STS | ECR | a day: IMDS | STS | ECR | renewals |")
		line("|--:|---|--:|--:|--:|--:|--:|--:|--:|")
		first := i
		for i < len(results) && results[i].setting.name == s.name {
			i++
		}
		for _, n := range sizes {
			machines := thousands(n)
			for _, r := range results[first:i] {
				line("| %s | %s | %s | %s | %s | %s | %s | %s | %s |", machines, r.contender.label,
					thousands(r.of(r.counts[start].metadata, n)), r.starting(r.counts[start].sts, n, stsQuota), r.starting(r.counts[start].ecr, n, s.quota),
					thousands(r.of(r.counts[day].metadata, n)), r.daily(r.counts[day].sts, n, stsQuota), r.daily(r.counts[day].ecr, n, s.quota), r.renewals(n))
				machines = ""
			}
		}
	}
	line("")
	line("### A start above the quota")
	line("")
	line("Measured, too: %d machines are started where ECR takes %d requests a second, which is to them what its quota is to %s. They pull as the instance's own role, as fast as the machine that this was", machines, startQuota(machines), thousands(sizes[len(sizes)-1]))
	line("measured on runs processes, up to %d at once. A pull without credentials is tried again after %.0f s, then after twice that and so on, as the kubelet does.", maxPulls, firstPause.Seconds())
	line("")
	line("| program | pulls | without credentials at first | requests to ECR, throttled ones too | until all had them |")
	line("|---|--:|--:|--:|--:|")
	for _, c := range starts {
		line("| %s | %s | %s | %s | %.0f s |", c.contender.label, thousands(c.pulls), thousands(c.refused), thousands(c.requests), c.took.Seconds())
	}
	line("")
	line("## What to do about it")
	line("")
	line("- Let machines pull as a role (`role_arn` in the [registry map](registry-map.md), a profile, a service account's) rather than as the instance: its tokens are")
	line("  fresh for five to six hours.")
	line("- Start large fleets in steps: with this helper a machine needs one call of ECR, so %d machines a second are within its quota. The kubelet tries a failed pull again by itself, after %.0f s, %.0f s and so on.", ecrQuota, firstPause.Seconds(), 2*firstPause.Seconds())
	line("- Keep `AWS_ECR_CACHE_DIR` on a disk that outlives the kubelet's restarts. A reboot is another machine to it, where the instance's role is the source.")
	return text.String()
}

// each returns the mean of a machine.
func (r result) each(total int) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(total)/float64(r.machines)), ".0")
}

// threes returns the means of a machine in a phase: requests to IMDS, STS and ECR.
func (r result) threes(p phase) string {
	c := r.counts[p]
	return r.each(c.metadata) + ", " + r.each(c.sts) + ", " + r.each(c.ecr)
}

// of returns how many requests n machines make, if these machines made total.
func (r result) of(total, n int) float64 { return float64(total) * float64(n) / float64(r.machines) }

// starting describes the requests of n machines that start, and how long they take at a quota.
func (r result) starting(total, n, quota int) string {
	requests := r.of(total, n)
	return with(requests, "s", requests/float64(quota))
}

// daily describes the requests of n machines in a day, and the part of a quota that they take.
func (r result) daily(total, n, quota int) string {
	requests := r.of(total, n)
	return with(requests, "%", 100*requests/dayLong.Seconds()/float64(quota))
}

// renewals returns how many of n machines renew in a minute, if the renewals are spread evenly.
func (r result) renewals(n int) string {
	if r.contender.due == nil {
		return "–"
	}
	if r.spread < time.Minute {
		return thousands(n) + " at once"
	}
	perMinute := float64(n) / r.spread.Minutes()
	if perMinute < 10 {
		return fmt.Sprintf("%.1f", perMinute)
	}
	return thousands(perMinute)
}

// with returns a number of requests and what it amounts to.
func with(requests float64, unit string, amount float64) string {
	switch {
	case requests == 0:
		return "0"
	case amount < 0.01:
		return fmt.Sprintf("%s (< 0.01 %s)", thousands(requests), unit)
	case amount < 10:
		return fmt.Sprintf("%s (%.2g %s)", thousands(requests), amount, unit)
	default:
		return fmt.Sprintf("%s (%.0f %s)", thousands(requests), amount, unit)
	}
}

// thousands writes a whole number with commas.
func thousands[N int | float64](n N) string {
	s := fmt.Sprintf("%.0f", float64(n))
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
