package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"docker-credential-ecr-login/cache"
)

// dueInMemory returns when the first password in the kubelet's memory is to be renewed.
func dueInMemory(m *machine) (time.Duration, error) {
	var all []time.Duration
	for _, k := range m.passwords {
		all = append(all, k.until)
	}
	return earliest(m, all)
}

// dueOnDisk returns when the first token in this helper's cache is to be renewed.
func dueOnDisk(m *machine) (time.Duration, error) {
	var all []time.Duration
	for _, item := range cache.New(filepath.Join(m.home, ".ecr")).All() {
		all = append(all, m.clock+item.FreshUntil.Sub(item.RequestedAt))
	}
	return earliest(m, all)
}

func earliest(m *machine, all []time.Duration) (time.Duration, error) {
	if len(all) == 0 {
		return 0, fmt.Errorf("%s: nothing is kept", m.home)
	}
	return slices.Min(all), nil
}
