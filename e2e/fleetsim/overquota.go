package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// The kubelet tries a failed pull again after this time, then after twice that and so on
// (k8s.io/kubernetes, pkg/kubelet: imageBackOffPeriod and MaxImageBackOff).
const (
	firstPause   = 10 * time.Second
	longestPause = 300 * time.Second
)

// crowdPlaces is how many pulls of a crowd are under way at once.
const crowdPlaces = 6 * 25

// crowdPatience is for a whole crowd, and several times what any takes.
const crowdPatience = 20 * time.Minute

// A crowd is what came of a start above ECR's quota.
type crowd struct {
	contender contender
	// refused is how many of the pulls had no password at first, and requests how many ECR got,
	// the throttled ones too.
	pulls, refused, requests int
	took                     time.Duration // until all had one
}

// startCrowd starts the machines of a setting at once, in real time, where ECR takes so many requests
// a second. What fails is tried again as the kubelet does.
func startCrowd(ctx context.Context, dir string, machines, perSecond int, s setting, c contender, all programs) (crowd, error) {
	ctx, cancel := context.WithTimeout(ctx, crowdPatience)
	defer cancel()
	t, err := newTrial(ctx, dir, machines, s, c, all)
	if err != nil {
		return crowd{}, err
	}
	defer t.end()
	t.cloud.SetQuota("ecr:GetAuthorizationToken", perSecond)
	var (
		refused atomic.Int64
		places  = make(chan struct{}, crowdPlaces)
		wg      sync.WaitGroup
		began   = time.Now()
	)
	for _, m := range t.fleet {
		for _, image := range s.images {
			wg.Go(func() {
				for pause := firstPause; ; pause = min(2*pause, longestPause) {
					places <- struct{}{}
					err := t.pull(m, image)
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
	return crowd{
		contender: c,
		refused:   int(refused.Load()),
		pulls:     machines * len(s.images),
		requests:  countOf(t.cloud).ecr,
		took:      time.Since(began),
	}, ctx.Err()
}
