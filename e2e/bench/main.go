// Command bench measures the helper, awslabs' helper v0.12.0 (the peer), and the least that any
// helper in Go can do (the floor). AWS is the stand-in, with the latency of a network. The
// processes are real and are measured from outside, from start to end.
//
// The runs are paired: in each round every contender of a row runs once, and each round begins with
// another contender. Medians are compared. So other work of the machine affects all contenders
// alike.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

func main() {
	rounds := flag.Int("rounds", 200, "rounds of the rows that take milliseconds; slow ones take fewer")
	out := flag.String("out", filepath.Join(testenv.Root(), "docs/benchmarks.md"), "where the table is written, besides stdout")
	only := flag.String("only", "", "a part of the names of the rows to measure; the others are omitted, and nothing is written")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := bench(ctx, *rounds, *only, *out)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, rounds int, only, out string) error {
	dir, err := os.MkdirTemp("", "ecr-login-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	progress("building the helper, its peer and the floor")
	programs, err := buildAll(ctx, dir)
	if err != nil {
		return err
	}
	b := &benchmark{ctx: ctx, dir: dir, programs: programs, rounds: rounds}
	began := time.Now()
	for _, row := range rows {
		if !strings.Contains(row.name, only) {
			continue
		}
		progress("%s", row.name)
		if err := b.measure(row); err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
	}
	if only != "" {
		fmt.Print(b.report(time.Since(began)))
		return nil
	}
	if err := b.measureSizes(); err != nil {
		return err
	}
	text := b.report(time.Since(began))
	fmt.Print(text)
	return os.WriteFile(out, []byte(text), 0o644)
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"…\n", args...) }
