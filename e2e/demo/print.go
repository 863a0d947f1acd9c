package main

import (
	"fmt"
	"strings"
	"time"
)

// A printer prints numbered steps, and labelled results below each.
type printer struct {
	steps int
	began time.Time
}

func (p *printer) step(title string) {
	if p.steps == 0 {
		p.began = time.Now()
		fmt.Println("A GitLab runner in AWS account 111111111111 pulls images from ECR in 222222222222 and 333333333333.")
		fmt.Println("AWS is a stand-in on loopback; the helper, the clients, the registry and TLS are real.")
	}
	p.steps++
	fmt.Printf("\n%2d  %s\n", p.steps, title)
}

// print prints a text of any number of lines.
func (p *printer) print(label, format string, args ...any) {
	const width = 23
	for line := range strings.Lines(strings.TrimSpace(fmt.Sprintf(format, args...))) {
		fmt.Printf("    %-*s%s\n", width, label, strings.TrimRight(line, "\n"))
		label = ""
	}
}

func (p *printer) end() {
	fmt.Printf("\nAll is as it should be, after %.1f s.\n", time.Since(p.began).Seconds())
}
