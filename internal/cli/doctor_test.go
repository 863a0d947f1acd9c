package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"docker-credential-ecr-login/internal/doctor"
)

func TestReport(t *testing.T) {
	findings := []doctor.Finding{
		{Step: "program", State: doctor.OK, Found: "found", Notes: []string{"note"}},
		{Step: "clients", State: doctor.Warning, Found: "odd", Fix: "fix", Paste: []string{"line"}},
		{Step: "token", State: doctor.Skipped, Found: "an earlier check failed"},
		{Step: "image", State: doctor.Skipped, Found: "an earlier check failed"},
	}
	failure := doctor.Finding{Step: "map", State: doctor.Failure, Found: "bad"}
	const text = "ok       program    found\n                    - note\n" +
		"warning  clients    odd\n                    => fix\n                       line\n"
	const end = "skipped  token, image: an earlier check failed\n"
	for name, c := range map[string]struct {
		findings []doctor.Finding
		colour   bool
		want     string
		state    doctor.State
	}{
		"nothing":   {nil, false, "", doctor.OK},
		"a warning": {findings, false, text + end, doctor.Warning},
		"a failure": {append([]doctor.Finding{failure}, findings...), false, "failure  map        bad\n" + text + end, doctor.Failure},
		"colours":   {[]doctor.Finding{failure}, true, "\x1b[31mfailure \x1b[0m map        bad\n", doctor.Failure},
	} {
		out := new(bytes.Buffer)
		r := &report{out: out, colour: c.colour, State: doctor.OK}
		for _, f := range c.findings {
			r.add(f)
		}
		err := r.end()
		if got := out.String(); got != c.want || r.State != c.state || errors.Is(err, errReported) != (c.state == doctor.Failure) {
			t.Errorf("%s: %q, %s, %v", name, got, r.State, err)
		}
		// A step that hung may report after the end.
		if r.add(failure); out.String() != c.want {
			t.Errorf("%s: %q after the end", name, out)
		}
	}

	out := new(bytes.Buffer)
	r := &report{out: out, asJSON: true, Version: "v", About: "<x>", State: doctor.OK}
	for _, f := range findings {
		r.add(f)
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Findings) != 4 || got.State != doctor.Warning || got.Version != "v" {
		t.Errorf("%v, %s", err, out)
	}
	if !bytes.Contains(out.Bytes(), []byte(`"about": "<x>"`)) {
		t.Errorf("%s", out)
	}
}
