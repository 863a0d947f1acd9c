package testenv

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Must ends the test if err isn't nil.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ReadFile returns what a file holds.
func ReadFile(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	Must(t, err)
	return text
}

// WriteFile writes a file of mode 0600 and makes the directories it needs.
func WriteFile(path, text string) error {
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600))
}

// JSON returns a value as JSON.
func JSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	Must(t, err)
	return string(text)
}

// KubeletRequest returns what the kubelet sends to the helper for an image.
func KubeletRequest(image string) string {
	return `{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"` + image + `"}`
}
