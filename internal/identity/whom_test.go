package identity

import (
	_ "embed"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestPrefixesThatOperatorsType(t *testing.T) {
	for typed, want := range map[string]string{
		"192.0.2.7":                "192.0.2.7/32",
		" 192.0.2.7\n":             "192.0.2.7/32",
		"192.0.2.7/32":             "192.0.2.7/32",
		"192.0.2.77/24":            "192.0.2.0/24",
		"10.9.8.7/8":               "10.0.0.0/8",
		"2001:db8:1:2:3:4:5:6":     "2001:db8:1:2::/64",
		"2001:DB8::1":              "2001:db8::/64",
		"2001:db8:1:2:3::/64":      "2001:db8:1:2::/64",
		"2001:db8:1:2:3:4:5:6/128": "2001:db8:1:2::/64",
		"2001:db8:1:2:3::/65":      "2001:db8:1:2::/64",
		"2001:db8:1234::/48":       "2001:db8:1234::/48",
		"2003:5::/19":              "2003::/19",
		"::1":                      "::/64",
		"::ffff:192.0.2.7":         "192.0.2.7/32",
		"::ffff:c000:207":          "192.0.2.7/32",
		"::ffff:192.0.2.7/128":     "192.0.2.7/32",
		"::ffff:192.0.2.7/120":     "192.0.2.0/24",
		"::ffff:10.0.0.0/104":      "10.0.0.0/8",
	} {
		got, err := ParsePrefix(typed)
		if err != nil || got.String() != want {
			t.Errorf("ParsePrefix(%q) = %v, %v, want %s", typed, got, err, want)
		}
	}
}

func TestPrefixesThatAreRefused(t *testing.T) {
	for _, typed := range []string{
		"", " ", "/", "garbage", "kim", "192.0.2", "192.0.2.256", "192.0.2.07", "10/8", "192.0.2.7/", "192.0.2.7/33", "192.0.2.7/-1", "192.0.2.7/+8",
		"192.0.2.7/024", "192.0.2.7/24/24", "192.0.2.7 /24", "192.0.2.7/ 24", "192.0.2.7:22", "192.0.2.7/255.255.255.0", "192.0.2.0-192.0.2.9",
		"[2001:db8::1]", "2001:db8::1/129", "2001:db8::/99999999999999999999", "2001:db8:::1", "１９２.0.2.7", "192.0.2.7/٢", strings.Repeat("1", 1<<20),
	} {
		if got, err := ParsePrefix(typed); !errors.Is(err, ErrNoPrefix) || got.IsValid() {
			t.Errorf("ParsePrefix(%.40q) = %v, %v, want %v", typed, got, err, ErrNoPrefix)
		}
	}
	for _, typed := range []string{"fe80::1%eth0", "fe80::1%eth0/64", "::ffff:192.0.2.7%1"} {
		if got, err := ParsePrefix(typed); !errors.Is(err, ErrZone) || got.IsValid() {
			t.Errorf("ParsePrefix(%q) = %v, %v, want %v", typed, got, err, ErrZone)
		}
	}
	for typed, want := range map[string]WidePrefix{
		"0.0.0.0/0":           {netip.MustParsePrefix("0.0.0.0/0"), 8},
		"10.0.0.0/7":          {netip.MustParsePrefix("10.0.0.0/7"), 8},
		"192.0.2.7/1":         {netip.MustParsePrefix("128.0.0.0/1"), 8},
		"::/0":                {netip.MustParsePrefix("::/0"), 19},
		"2003::/18":           {netip.MustParsePrefix("2003::/18"), 19},
		"::ffff:0:0/96":       {netip.MustParsePrefix("0.0.0.0/0"), 8},
		"::ffff:10.0.0.0/103": {netip.MustParsePrefix("10.0.0.0/7"), 8},
		"::ffff:192.0.2.7/24": {netip.MustParsePrefix("0.0.0.0/0"), 8},
	} {
		got, err := ParsePrefix(typed)
		if wide, ok := errors.AsType[*WidePrefix](err); !ok || *wide != want || got.IsValid() {
			t.Errorf("ParsePrefix(%q) = %v, %v, want %v", typed, got, err, &want)
		}
	}
}

func TestWhatAnAddressCountsAs(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7":            "192.0.2.7/32",
		"::ffff:192.0.2.7":     "192.0.2.7/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
	} {
		if got := Prefix(netip.MustParseAddr(addr)); got.String() != want {
			t.Errorf("Prefix(%s) = %v, want %s", addr, got, want)
		}
	}
	if got := Prefix(netip.Addr{}); got.IsValid() {
		t.Errorf("Prefix of the zero Addr = %v, want none", got)
	}
}

func FuzzPrefix(f *testing.F) {
	for _, seed := range []string{"192.0.2.7", "192.0.2.7/24", "2001:db8::1", "::ffff:192.0.2.7/120", "fe80::1%eth0/64", "::/0", "1/2/3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		p, err := ParsePrefix(typed)
		if err != nil {
			if p != (netip.Prefix{}) {
				t.Errorf("ParsePrefix(%q) = %v with the error %v", typed, p, err)
			}
			return
		}
		widest, narrowest := WidestIPv6, 64
		if p.Addr().Is4() {
			widest, narrowest = WidestIPv4, 32
		}
		if p != p.Masked() || p.Addr().Is4In6() || p.Bits() < widest || p.Bits() > narrowest {
			t.Errorf("ParsePrefix(%q) = %v, want it masked, and /%d to /%d", typed, p, widest, narrowest)
		}
		if again, err := ParsePrefix(p.String()); err != nil || again != p {
			t.Errorf("ParsePrefix(%q) = %v, and that of it %v, %v", typed, p, again, err)
		}
		if addr, err := netip.ParseAddr(strings.TrimSpace(typed)); err == nil && !p.Contains(addr.Unmap()) {
			t.Errorf("ParsePrefix(%q) = %v, which does not contain it", typed, p)
		}
	})
}

// What ssh-keygen -lf and ssh-add -l of OpenSSH 9.2 print for keys of every type and with comments of every kind.
//
//go:embed testdata/fingerprints.txt
var fingerprints string

func TestFingerprintsAsTheyArePrinted(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(fingerprints), "\n")
	for _, line := range lines {
		want := strings.Fields(line)[1]
		for _, typed := range []string{line, " " + line + "\r\n", want, want + "=", " " + want + "\n", strings.Replace(line, want, want+"=", 1)} {
			if got, ok := ParseFingerprint(typed); !ok || got != want {
				t.Errorf("ParseFingerprint(%q) = %q, %t, want %q", typed, got, ok, want)
			}
		}
		if got, ok := ParseFingerprint(strings.ToLower(line)); ok {
			t.Errorf("ParseFingerprint(%q) = %q, want it refused", strings.ToLower(line), got)
		}
	}
	if len(lines) < 5 {
		t.Errorf("%d fingerprints, want at least 5", len(lines))
	}
}

func TestWhatIsNoFingerprint(t *testing.T) {
	const sum = "SHA256:5o6eByzF2tukyXxZ0leUnlFHM78UU5Uik+b5ui3ooKY"
	for _, typed := range []string{
		"", " ", "SHA256:", "SHA256:=", sum[7:], "sha256:" + sum[7:], "MD5:ca:f4:c2:60:df:75:5e:b6:5a:be:b3:29:7e:a8:f7:19",
		"256 MD5:ca:f4:c2:60:df:75:5e:b6:5a:be:b3:29:7e:a8:f7:19 kim@house (ED25519)",
		sum + "==", sum[:len(sum)-1], sum + "A", sum[:len(sum)-1] + "=", sum[:20] + "\n" + sum[20:], sum[:20] + "\r\n" + sum[21:],
		sum[:len(sum)-1] + "Z", // bits behind the last byte
		strings.ReplaceAll(sum, "+", "-"), "SHA256:" + sum, sum + " kim@house", sum + " " + sum, "kim " + sum + " (ED25519)",
		"256 " + sum, "256 " + sum + " kim@house", "-1 " + sum + " kim (RSA)", "256  " + sum + " kim (RSA)",
		"256 kim " + sum + " (ED25519)",
		"256 " + sum + " a (ED25519)\n256 " + sum + " b (ED25519)", // a whole authorized_keys
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKim kim@house", strings.Repeat("A", 1<<20),
	} {
		if got, ok := ParseFingerprint(typed); ok || got != "" {
			t.Errorf("ParseFingerprint(%.80q) = %q, %t, want it refused", typed, got, ok)
		}
	}
}

func FuzzFingerprint(f *testing.F) {
	for line := range strings.SplitSeq(fingerprints, "\n") {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		got, ok := ParseFingerprint(typed)
		if !ok {
			return
		}
		if len(got) != len("SHA256:")+43 || !strings.Contains(typed, got) {
			t.Errorf("ParseFingerprint(%q) = %q, want a part of it", typed, got)
		}
		if again, ok := ParseFingerprint(got); !ok || again != got {
			t.Errorf("ParseFingerprint(%q) = %q, %t, want itself", got, again, ok)
		}
	})
}
