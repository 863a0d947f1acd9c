package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// The kubelet tries a failed pull again after firstPause, then after twice that time and so on
// (k8s.io/kubernetes, pkg/kubelet: imageBackOffPeriod and MaxImageBackOff).
const (
	firstPause   = 10 * time.Second
	longestPause = 300 * time.Second
)

// maxPulls is how many pulls run at once.
const maxPulls = 6 * 25

// startTimeout is the timeout of a whole start, several times what any needs.
const startTimeout = 20 * time.Minute

// A quotaStart is the result of a start above ECR's quota.
type quotaStart struct {
	contender contender
	// refused is how many pulls had no password at first. requests is how many requests ECR got,
	// including throttled ones.
	pulls, refused, requests int
	took                     time.Duration // until all had a password
}

// startAboveQuota starts the machines of a setting at once, in real time, while ECR accepts a
// number of requests a second. Failed pulls are tried again as the kubelet does.
func startAboveQuota(ctx context.Context, dir string, machines, perSecond int, s setting, c contender, all programs) (quotaStart, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	sim, err := newSimulation(ctx, dir, machines, s, c, all)
	if err != nil {
		return quotaStart{}, err
	}
	defer sim.end()
	sim.aws.SetQuota("ecr:GetAuthorizationToken", perSecond)
	var (
		refused atomic.Int64
		places  = make(chan struct{}, maxPulls)
		wg      sync.WaitGroup
		began   = time.Now()
	)
	for _, m := range sim.machines {
		for _, image := range s.images {
			wg.Go(func() {
				for pause := firstPause; ; pause = min(2*pause, longestPause) {
					places <- struct{}{}
					err := sim.pull(m, image)
					<-places
					if err == nil || ctx.Err() != nil {
						return
					}
					if pause == firstPause {
						refused.Add(1)
					}
					select {
					case <-time.After(pause):
					case <-ctx.Done():
						return
					}
				}
			})
		}
	}
	wg.Wait()
	return quotaStart{
		contender: c,
		refused:   int(refused.Load()),
		pulls:     machines * len(s.images),
		requests:  countOf(sim.aws).ecr,
		took:      time.Since(began),
	}, ctx.Err()
}
