package binary

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func (s *story) age(_ *testscript.TestScript, _ bool, args []string) error {
	by, err := time.ParseDuration(strings.Join(args, " "))
	if err != nil {
		return err
	}
	aged := 0
	for _, pattern := range []string{"*.json", "*.failure"} {
		files, _ := filepath.Glob(filepath.Join(s.Home, ".ecr/tokens", pattern))
		for _, file := range files {
			if err := ageFile(file, by); err != nil {
				return err
			}
			aged++
		}
	}
	if aged == 0 {
		return errors.New("the cache is empty")
	}
	return nil
}

func ageFile(file string, by time.Duration) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var content map[string]any
	if err := json.Unmarshal(text, &content); err != nil {
		return err
	}
	for _, name := range []string{"asked", "fresh_until", "expires", "at"} {
		if text, ok := content[name].(string); ok {
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				return err
			}
			content[name] = at.Add(-by)
		}
	}
	if text, err = json.Marshal(content); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(file, text, 0o600), os.Chtimes(file, time.Time{}, info.ModTime().Add(-by)))
}
