package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSettingsOfTheMap(t *testing.T) {
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".ecr"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".ecr/config.toml"), []byte("fallback = \"secretservice\"\non_error = \"fail\"\ntimeout = \"20s\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(nil, home)
	if err != nil || s.Fallback != "secretservice" || s.FallbackFrom != home+"/.ecr/config.toml:1: fallback" || !s.FailOnError || s.Timeout.String() != "20s" {
		t.Errorf("from the map: %+v, %v", s, err)
	}
	s, err = Load(Env{"AWS_ECR_FALLBACK=pass", "AWS_ECR_ON_ERROR=not-found", "AWS_ECR_TIMEOUT=3s"}, home)
	if err != nil || s.Fallback != "pass" || s.FallbackFrom != "AWS_ECR_FALLBACK" || s.FailOnError || s.Timeout.String() != "3s" {
		t.Errorf("the environment doesn't win: %+v, %v", s, err)
	}
}

// What the documents show can be pasted.
func TestMapsInDocuments(t *testing.T) {
	maps := 0
	for _, file := range []string{"../../README.md", "../../docs/registry-map.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range codeBlocks(string(text)) {
			if !strings.Contains(block, "[[registry]]") {
				continue
			}
			maps++
			pasted := filepath.Join(t.TempDir(), "config.toml")
			if err := os.WriteFile(pasted, []byte(block), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(Env{"AWS_ECR_CONFIG=" + pasted}, ""); err != nil {
				t.Errorf("%v in\n%s", err, block)
			}
		}
	}
	if maps < 3 {
		t.Errorf("the documents show %d maps, want 3 and more", maps)
	}
}

// codeBlocks returns the indented blocks of a Markdown text.
func codeBlocks(text string) []string {
	var blocks []string
	var block strings.Builder
	for line := range strings.Lines(text) {
		switch code, ok := strings.CutPrefix(line, "    "); {
		case ok:
			block.WriteString(code)
		case strings.TrimSpace(line) == "":
			block.WriteString("\n")
		default:
			blocks = append(blocks, block.String())
			block.Reset()
		}
	}
	return append(blocks, block.String())
}
