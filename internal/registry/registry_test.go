package registry

import (
	"os"
	"strings"
	"testing"
)

// rows reads the table of host forms that the endpoint tests share.
func rows(t testing.TB) [][]string {
	t.Helper()
	text, err := os.ReadFile("../../testdata/registries.txt")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		row := strings.Split(line, "|")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		rows = append(rows, row)
	}
	return rows
}

func TestParse(t *testing.T) {
	for _, row := range rows(t) {
		host, flags := row[0], row[4]
		want := Registry{
			Public:    strings.Contains(flags, "public"),
			Account:   row[1],
			Region:    row[2],
			FIPS:      strings.Contains(flags, "fips"),
			DualStack: strings.Contains(flags, "dualstack"),
		}
		for _, server := range []string{
			host,
			"https://" + host,
			"http://" + host,
			"HTTPS://" + strings.ToUpper(host),
			host + ":443",
			host + "/v1/",
			"https://" + host + "/v2/",
			host + "/team/app:v1.2",
			host + "/team/app@sha256:0123",
			" \t" + host + "\r\n",
			"oci://" + host + "/charts/app",
			"docker://" + host + "/team/app:v1.2",
		} {
			got, ok := Parse(server)
			if !ok || got != want {
				t.Errorf("Parse(%q) = %+v, %v; want %+v", server, got, ok, want)
			}
		}
		if got, ok := Of(want.ID(), want.TokenRegion(), want.EndpointVariant()); !ok || got != want {
			t.Errorf("%s: Of(%q, %q, %q) = %+v, %v", host, want.ID(), want.TokenRegion(), want.EndpointVariant(), got, ok)
		}
		if got := want.Host(); !strings.HasSuffix(got, "."+row[3]) {
			t.Errorf("%s: Host() = %q, want the suffix %q", host, got, row[3])
		}
		if got := want.Host(); got != host {
			t.Errorf("Host() = %q, want %q", got, host)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
	for _, server := range []string{
		"",
		"https://",
		"docker.io",
		"https://index.docker.io/v1/",
		"amazonaws.com",
		host + ".evil.org",
		host + "@evil.org",
		"evil.org#@" + host,
		"evil.org/" + host,
		"evil.org?" + host,
		"user@" + host,
		"user:443@" + host,
		host + "#fragment",
		host + "?query",
		host + `\@evil.org`,
		"https:///" + host,
		"https://https://" + host,
		host + "/https://evil.org",
		"ftp://" + host,
		"//" + host,
		host + ".",
		"." + host,
		"x" + host,
		host + ":",
		host + ":https",
		host + ":123456",
		host + "\nevil.org",
		host + "\x00",
		host + " evil.org",
		"11112222333.dkr.ecr.eu-west-1.amazonaws.com",   // 11 digits
		"1111222233334.dkr.ecr.eu-west-1.amazonaws.com", // 13 digits
		"١١١١٢٢٢٢٣٣٣٣.dkr.ecr.eu-west-1.amazonaws.com",
		"111122223333.d\u212ar.ecr.eu-west-1.amazonaws.com", // Kelvin sign, lower case k
		"111122223333.dkr.ecr..amazonaws.com",
		"111122223333.dkr.ecr.amazonaws.com",
		"111122223333.dkr.ecr.eu-west.amazonaws.com",
		"111122223333.dkr.ecr.eu--1.amazonaws.com",
		"111122223333.dkr.ecr.eu-west-123.amazonaws.com",
		"111122223333.dkr.ecr.eu_west_1.amazonaws.com",
		"111122223333.dkr.ecr.eu-west-1.evil.amazonaws.com",
		"111122223333.dkr.ecr." + strings.Repeat("x", 60) + "-west-1.amazonaws.com",
		"111122223333.dkr.ecr.eu-west-1.amazonaws.com.cn", // another partition's suffix
		"111122223333.dkr.ecr.cn-north-1.amazonaws.com",
		"111122223333.dkr-ecr.us-iso-east-1.on.aws",
		"111122223333.dkr-ecr.us-iso-east-1.",
		"111122223333.dkr.ecr.eu-west-1.on.aws",
		"111122223333.dkr-ecr.eu-west-1.amazonaws.com",
		"111122223333.dkr.ecrfips.us-east-1.amazonaws.com",
		"xpublic.ecr.aws",
		"public.ecr.aws.evil.org",
		strings.Repeat("a", 100_000),
		host + "/" + strings.Repeat("a", 100_000),
	} {
		if got, ok := Parse(server); ok {
			t.Errorf("Parse(%.80q) = %+v, want not ECR", server, got)
		}
	}
}

func TestEndpointVariant(t *testing.T) {
	for want, r := range map[string]Registry{
		"ecr":                {},
		"ecr-fips":           {FIPS: true},
		"ecr-dualstack":      {DualStack: true},
		"ecr-fips-dualstack": {FIPS: true, DualStack: true},
		"public":             {Public: true},
		"public-dualstack":   {Public: true, DualStack: true},
	} {
		if got := r.EndpointVariant(); got != want {
			t.Errorf("%+v: EndpointVariant() = %q, want %q", r, got, want)
		}
	}
}

func TestOfRefuses(t *testing.T) {
	for _, parts := range [][3]string{
		{"", "", ""},
		{"111122223333", "eu-west-1", ""},
		{"111122223333", "eu-west-1", "public"},
		{"public", "eu-west-1", "public"},
		{"11112222333", "eu-west-1", "ecr"},
		{"111122223333", "own", "own"},
	} {
		if r, ok := Of(parts[0], parts[1], parts[2]); ok {
			t.Errorf("Of(%q) = %+v", parts, r)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, row := range rows(f) {
		f.Add(row[0])
		f.Add(" HTTPS://" + strings.ToUpper(row[0]) + ":443/v2/\n")
	}
	f.Add("evil.org#@111122223333.dkr.ecr.eu-west-1.amazonaws.com")
	f.Fuzz(func(t *testing.T, server string) {
		r, ok := Parse(server)
		if !ok {
			if r != (Registry{}) {
				t.Errorf("Parse(%q) refuses and yet answers %+v", server, r)
			}
			return
		}
		again, ok := Parse(r.Host())
		if !ok || again != r {
			t.Errorf("Parse(%q) = %+v, whose host %q parses to %+v, %v", server, r, r.Host(), again, ok)
		}
		if !strings.Contains(strings.ToLower(server), r.Host()) {
			t.Errorf("Parse(%q) found %q, which is not in it", server, r.Host())
		}
	})
}

func TestHint(t *testing.T) {
	for server, want := range map[string]string{
		"11111111111.dkr.ecr.eu-west-1.amazonaws.com":             "an account has 12 digits, and 11111111111 has 11",
		"https://1111222233334.dkr.ecr.eu-west-1.amazonaws.com/x": "an account has 12 digits, and 1111222233334 has 13",
		"dkr.ecr.eu-west-1.amazonaws.com":                         "a private registry's host begins with an account of 12 digits, such as 111122223333.dkr.ecr.eu-west-1.amazonaws.com",
		"api.ecr.eu-west-1.amazonaws.com":                         "a private registry's host begins with an account of 12 digits, such as 111122223333.dkr.ecr.eu-west-1.amazonaws.com",
		"111122223333.dkr.ecr.amazonaws.com":                      "it names no region, as 111122223333.dkr.ecr.eu-west-1.amazonaws.com does",
		"111122223333.dkr.ecr.eu-west1.amazonaws.com":             "it names no region, as 111122223333.dkr.ecr.eu-west-1.amazonaws.com does",
		"111122223333.dkr.ecr.cn-north-1.amazonaws.com":           "did you mean 111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn?",
		"111122223333.dkr.ecr.eu-west-1.amazonaws.com.cn":         "did you mean 111122223333.dkr.ecr.eu-west-1.amazonaws.com?",
		"111122223333.ecr.dkr.eu-west-1.amazonaws.com":            "did you mean 111122223333.dkr.ecr.eu-west-1.amazonaws.com?",
		"111122223333.dkr.ecr-fips.eu-west-1.amazonaw.com":        "did you mean 111122223333.dkr.ecr-fips.eu-west-1.amazonaws.com?",
		"111122223333.dkr-ecr.eu-west-1.amazonaws.com":            "did you mean 111122223333.dkr.ecr.eu-west-1.amazonaws.com?",
		"publc.ecr.aws": "did you mean public.ecr.aws?",
		"111122223333.dkr.erc.eu-west-1.amazonaws.com": "did you mean 111122223333.dkr.ecr.eu-west-1.amazonaws.com?",
		"public.ecr.com":                               "did you mean public.ecr.aws?",
		"public.ecr.amazonaws.com":                     "a private registry's host begins with an account of 12 digits, such as 111122223333.dkr.ecr.eu-west-1.amazonaws.com",
		"public.ecr.aws":                               "",
		"111122223333.dkr.ecr.eu-west-1.amazonaws.com": "",
		"docker.io":                                    "",
		"ghcr.io":                                      "",
		"registry.example.com:5000":                    "",
		"no host":                                      "",
	} {
		if got := Hint(server); got != want {
			t.Errorf("Hint(%q) = %q, want %q", server, got, want)
		}
	}
}

func TestPartition(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1": "aws", "us-gov-west-1": "aws-us-gov", "cn-north-1": "aws-cn", "eusc-de-east-1": "aws-eusc",
		"us-iso-east-1": "aws-iso", "us-isob-east-1": "aws-iso-b", "eu-isoe-west-1": "aws-iso-e", "us-isof-south-1": "aws-iso-f",
		"": "aws",
	} {
		if got := Partition(region); got != want {
			t.Errorf("Partition(%q) = %q, want %q", region, got, want)
		}
	}
}
