package main

import (
	"bytes"
	"cmp"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"docker-credential-ecr-login/e2e/internal/testenv"
)

// A size is a measure other than time.
type size struct {
	what, unit string
	of         map[string]float64 // by contender
	bar        bar
	note       string
}

// measureSizes measures memory, instructions and the size of the binary.
func (b *benchmark) measureSizes() error {
	if err := b.newServer(); err != nil {
		return err
	}
	defer b.aws.Close()
	warm, err := static(b)
	if err != nil {
		return err
	}
	for _, c := range warm {
		if err := b.check(c); err != nil {
			return err
		}
	}
	progress("memory, instructions and size")
	memory := size{what: "peak memory of a warm get", unit: "MB", of: map[string]float64{}, bar: bar{ours, theirs, 0.65}}
	instructions := size{what: "instructions of a warm get, outside the kernel", unit: "thousand", of: map[string]float64{},
		note: "as valgrind counts them"}
	binary := size{what: "the binary, stripped", unit: "MB", of: map[string]float64{}, bar: bar{ours, theirs, 1.2}}
	for _, c := range warm {
		r := c.runs[0]
		kib, err := b.peak(r)
		if err != nil {
			return err
		}
		memory.of[c.label] = kib * 1024 / 1e6
		if n, err := b.instructions(r); err == nil {
			instructions.of[c.label] = n / 1e3
		} else {
			instructions.note = "not measured: " + err.Error()
		}
		info, err := os.Stat(r.program)
		if err != nil {
			return err
		}
		binary.of[c.label] = float64(info.Size()) / 1e6
	}
	parts, err := b.largestParts()
	if err != nil {
		return err
	}
	binary.note = parts
	b.sizes = []size{memory, instructions, binary}
	return nil
}

// peak returns the median of the peak memory of some runs, in KiB.
func (b *benchmark) peak(r run) (float64, error) {
	var all []float64
	for range 21 {
		var errs bytes.Buffer
		stdin, err := os.Open(r.stdin)
		if err != nil {
			return 0, err
		}
		cmd := exec.CommandContext(b.ctx, b.programs.launch, append([]string{r.program}, r.args...)...)
		cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stderr = r.env.home, r.env.env, stdin, &errs
		err = cmd.Run()
		stdin.Close()
		if err != nil {
			return 0, fmt.Errorf("launch: %w %s", err, errs.String())
		}
		kib, err := strconv.ParseFloat(strings.TrimSpace(errs.String()), 64)
		if err != nil {
			return 0, err
		}
		all = append(all, kib)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

var guestInstructions = regexp.MustCompile(`guest instrs:\s+([\d,]+)`)

// instructions counts instructions with valgrind, if it is installed.
func (b *benchmark) instructions(r run) (float64, error) {
	valgrind, err := exec.LookPath("valgrind")
	if err != nil {
		return 0, fmt.Errorf("there is no valgrind here")
	}
	stdin, err := os.Open(r.stdin)
	if err != nil {
		return 0, err
	}
	defer stdin.Close()
	var errs bytes.Buffer
	cmd := exec.CommandContext(b.ctx, valgrind, append([]string{"--tool=lackey", r.program}, r.args...)...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stderr = r.env.home, r.env.env, stdin, &errs
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("valgrind: %w", err)
	}
	match := guestInstructions.FindStringSubmatch(errs.String())
	if match == nil {
		return 0, fmt.Errorf("valgrind counts nothing")
	}
	return strconv.ParseFloat(strings.ReplaceAll(match[1], ",", ""), 64)
}

// largestParts lists the largest parts of the helper's binary, by the symbols of a build that has
// them.
func (b *benchmark) largestParts() (string, error) {
	path := filepath.Join(b.dir, "symbols")
	if err := testenv.BuildGo(b.ctx, testenv.Root(), "./cmd/"+testenv.Name, path, "-ldflags", "-w"); err != nil {
		return "", err
	}
	file, err := elf.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	symbols, err := file.Symbols()
	if err != nil {
		return "", err
	}
	bytesOf := map[string]uint64{}
	for _, s := range symbols {
		// Symbols without bytes in the file, such as room for variables, take no space.
		if int(s.Section) >= len(file.Sections) || file.Sections[s.Section].Type == elf.SHT_NOBITS || elf.ST_TYPE(s.Info) == elf.STT_NOTYPE {
			continue
		}
		bytesOf[partOf(s.Name)] += s.Size
	}
	for _, section := range file.Sections {
		switch section.Name {
		case ".gopclntab", ".eh_frame":
			bytesOf["line tables, for panics and the collector (gopclntab)"] += section.Size
		case ".go.type", ".typelink", ".itablink":
			bytesOf["types"] += section.Size
		}
	}
	type part struct {
		name string
		size uint64
	}
	var parts []part
	for name, size := range bytesOf {
		parts = append(parts, part{name, size})
	}
	slices.SortFunc(parts, func(x, y part) int { return cmp.Compare(y.size, x.size) })
	var text []string
	for _, p := range parts[:min(12, len(parts))] {
		text = append(text, fmt.Sprintf("%s %.2f MB", p.name, float64(p.size)/1e6))
	}
	return "largest parts: " + strings.Join(text, ", "), nil
}

// partOf returns the part of the program to which a symbol belongs.
func partOf(symbol string) string {
	symbol = strings.TrimPrefix(symbol, "type:.eq.")
	switch {
	case strings.HasPrefix(symbol, "type:"), strings.HasPrefix(symbol, "go:"), !strings.Contains(symbol, "."):
		return "names of types, strings and other data"
	}
	slash := strings.LastIndexByte(symbol, '/') + 1
	pkg, _, _ := strings.Cut(symbol[slash:], ".")
	pkg = strings.TrimLeft(symbol[:slash]+pkg, "*(")
	for _, prefix := range []string{
		"github.com/aws/aws-sdk-go-v2/service/ecrpublic", "github.com/aws/aws-sdk-go-v2/service/ecr",
		"github.com/aws/aws-sdk-go-v2/service/", "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go",
		"net/http", "crypto", "docker-credential-ecr-login", "runtime", "vendor/golang.org/x",
	} {
		if strings.HasPrefix(pkg, prefix) {
			return strings.TrimSuffix(prefix, "/")
		}
	}
	return pkg
}
