// Command fleetsim counts the requests that fleets of machines make to AWS: with this helper, with
// awslabs' helper v0.12.0, and with AWS's own credential provider for the kubelet.
//
// Each machine has its own home, boot ID and clock. The programs are real processes and call the
// stand-in for AWS, which counts. A machine's clock is moved by making the caches of its programs
// older. The memory of a kubelet is simulated here.
package main

import (
	"context"
	"debug/buildinfo"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

func main() {
	machines := flag.Int("machines", 200, "machines of a fleet")
	out := flag.String("out", filepath.Join(testenv.Root(), "docs/scale.md"), "where the tables are written, besides stdout")
	flag.Parse()
	os.Exit(inNamespaces(func(refused error) int {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		err := refused
		if err == nil {
			err = measureAll(ctx, *machines, *out)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "fleetsim: %v\n", err)
			return 1
		}
		return 0
	}))
}

func measureAll(ctx context.Context, machines int, out string) error {
	dir, err := os.MkdirTemp("", "ecr-login-fleetsim-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	began := time.Now()
	fmt.Fprintln(os.Stderr, "building the helper, its peer and AWS's provider…")
	all, err := buildAll(ctx, dir)
	if err != nil {
		return err
	}
	var results []result
	for _, s := range settings {
		for _, c := range s.contenders {
			fmt.Fprintf(os.Stderr, "%s: %s…\n", s.name, c.label)
			r, err := measure(ctx, filepath.Join(dir, fmt.Sprint(len(results))), machines, s, c, all)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", s.name, c.label, err)
			}
			results = append(results, r)
		}
	}
	var starts []quotaStart
	for _, c := range quotaSetting.contenders {
		fmt.Fprintf(os.Stderr, "a start above the quota: %s…\n", c.label)
		got, err := startAboveQuota(ctx, filepath.Join(dir, fmt.Sprintf("start%d", len(starts))), machines, startQuota(machines), quotaSetting, c, all)
		if err != nil {
			return fmt.Errorf("a start above the quota: %s: %w", c.label, err)
		}
		starts = append(starts, got)
	}
	provider, err := buildinfo.ReadFile(all.provider)
	if err != nil {
		return err
	}
	text := report(results, starts, machines, provider.Main.Version, time.Since(began))
	fmt.Print(text)
	return os.WriteFile(out, []byte(text), 0o644)
}

// programs are the paths of the programs that machines run.
type programs struct{ helper, peer, provider string }

func buildAll(ctx context.Context, dir string) (programs, error) {
	p := programs{
		helper:   filepath.Join(dir, "helper"),
		provider: filepath.Join(dir, "ecr-credential-provider"),
	}
	peer := filepath.Join(dir, "peer")
	if err := os.Mkdir(peer, 0o700); err != nil {
		return p, err
	}
	if err := testenv.BuildHelper(ctx, p.helper); err != nil {
		return p, err
	}
	var err error
	if p.peer, err = testenv.InstallPeer(ctx, peer); err != nil {
		return p, err
	}
	// The provider is built from its own module, with the versions that its authors chose.
	module := filepath.Join(testenv.Root(), "e2e/fleetsim/provider")
	return p, testenv.BuildGo(ctx, module, "k8s.io/cloud-provider-aws/cmd/ecr-credential-provider", p.provider)
}
