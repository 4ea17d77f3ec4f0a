package config

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A key is one row of the table: one setting under each of its names.
type key struct {
	name      string // in the TOML file, from its top: "ssh_addr", "limits.message_bytes"
	arg       string // a flag's value in the help text; empty for a switch, whose flag alone says "true"
	byDefault any    // as the TOML file would hand it over; nil for none
	accepts   string // what works, to follow "it must be"
	doc       string // a setting: what it is; a limit: what happens beyond it
	exempted  bool   // a limit which the addresses in exempt are free of
	live      bool   // a change takes effect while the house runs
	access
}

// access is the way to the field of a setting.
type access struct {
	// set checks a value (a string from a flag or the environment, whatever TOML knows from the file) and takes it. It
	// returns what it cannot take, which is the value or one item of a list, and nil if all is well.
	set func(s *Settings, value any) (bad any)
	// get returns the value as the TOML file would hand it over, in its canonical form: set takes it back.
	get func(s *Settings) any
}

func (k key) flag() string     { return "--" + strings.ReplaceAll(leaf(k.name), "_", "-") }
func (k key) form() string     { return strings.TrimSpace(k.flag() + " " + k.arg) }
func (k key) variable() string { return "SARANGBANG_" + strings.ToUpper(k.name) }

// fileKey names the TOML file, so it cannot stand in it.
func fileKey() key {
	return key{
		name: "config", arg: "FILE", accepts: pathForm, doc: "TOML file with any of these and the limits",
		access: text(isPath, func(s *Settings) *string { return &s.ConfigFile }),
	}
}

// settingKeys are the rows that are flags, environment variables and keys at the top of the TOML file alike.
func settingKeys() []key {
	return []key{
		{
			name: "ssh_addr", arg: "ADDR", byDefault: ":2222", accepts: addressForm, doc: "SSH door; port 0 picks a free one",
			access: text(isAddress, func(s *Settings) *string { return &s.SSHAddr }),
		},
		{
			name: "tcp_addr", arg: "ADDR", byDefault: ":12000", accepts: addressForm + `, or "off"`, doc: "plain-TCP door of the original protocol, or off",
			access: closable(func(s *Settings) *string { return &s.TCPAddr }),
		},
		{
			name: "http_addr", arg: "ADDR", byDefault: "off", accepts: addressForm + `, or "off"`, doc: "/metrics and /healthz for operators, or off",
			access: closable(func(s *Settings) *string { return &s.HTTPAddr }),
		},
		{
			name: "pprof", byDefault: false, accepts: "true or false", doc: "profiles at /debug/pprof, on the loopback only",
			access: toggle(func(s *Settings) *bool { return &s.Profiles }),
		},
		{
			name: "data_dir", arg: "DIR", byDefault: "data", accepts: pathForm, doc: "folder of the host keys and all that is kept",
			access: text(isPath, func(s *Settings) *string { return &s.DataDir }),
		},
		{
			name: "lang", arg: "LANG", byDefault: "en", accepts: "en or ko", doc: "en or ko, for clients that name no language",
			access: text(oneOf("en", "ko"), func(s *Settings) *string { return &s.Lang }),
		},
		{
			name: "log_format", arg: "FORMAT", byDefault: "text", accepts: "text or json", doc: "text or json",
			access: text(oneOf("text", "json"), func(s *Settings) *string { return &s.LogFormat }),
		},
		{
			name: "log_level", arg: "LEVEL", byDefault: "info", accepts: "debug, info, warn or error", doc: "debug, info, warn or error",
			live: true, access: level(),
		},
	}
}

const (
	addressForm = "HOST:PORT, such as :2222 or 127.0.0.1:2222"
	pathForm    = "a path"
)

// text takes a string which is fit.
func text(fit func(string) bool, field func(*Settings) *string) access {
	return access{
		set: func(s *Settings, value any) any {
			t, ok := value.(string)
			if !ok || !fit(t) {
				return value
			}
			*field(s) = t
			return nil
		},
		get: func(s *Settings) any { return *field(s) },
	}
}

// closable takes an address, or "off" as the empty one.
func closable(field func(*Settings) *string) access {
	open := text(isAddress, field)
	return access{
		set: func(s *Settings, value any) any {
			if value == "off" {
				*field(s) = ""
				return nil
			}
			return open.set(s, value)
		},
		get: func(s *Settings) any { return cmp.Or(*field(s), "off") },
	}
}

// toggle takes true or false.
func toggle(field func(*Settings) *bool) access {
	return access{
		set: func(s *Settings, value any) any {
			switch value {
			case true, "true":
				*field(s) = true
			case false, "false":
				*field(s) = false
			default:
				return value
			}
			return nil
		},
		get: func(s *Settings) any { return *field(s) },
	}
}

func level() access {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	return access{
		set: func(s *Settings, value any) any {
			name, _ := value.(string) // no level is called ""
			chosen, known := levels[name]
			if !known {
				return value
			}
			s.LogLevel = chosen
			return nil
		},
		get: func(s *Settings) any { return strings.ToLower(s.LogLevel.String()) },
	}
}

func oneOf(words ...string) func(string) bool {
	return func(t string) bool { return slices.Contains(words, t) }
}

// isAddress reports whether t can be listened on. Whether a host name resolves is seen when it is.
func isAddress(t string) bool {
	host, port, err := net.SplitHostPort(t)
	if err != nil {
		return false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return false
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return len(host) <= 253 && strings.IndexFunc(host, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) < 0
}

// isLoopback reports whether nobody but this machine reaches an address. That localhost is one is RFC 6761, section 6.3.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// isPath refuses what would tear a log line or a sentence that names the path.
func isPath(t string) bool {
	return t != "" && strings.IndexFunc(t, unicode.IsControl) < 0
}

// whole is a limit that counts something.
func whole(name string, byDefault, low, high int, field func(*Limits) *int, beyond string) key {
	return number("limits."+name, byDefault, low, high, func(s *Settings) *int { return field(&s.Limits) }, beyond)
}

// number is a key of a table that counts something.
func number(name string, byDefault, low, high int, field func(*Settings) *int, doc string) key {
	return key{
		name: name, byDefault: int64(byDefault), doc: doc,
		accepts: fmt.Sprintf("a whole number from %d to %d", low, high),
		access: access{
			set: func(s *Settings, value any) any {
				n, ok := value.(int64)
				if !ok || n < int64(low) || n > int64(high) {
					return value
				}
				*field(s) = int(n)
				return nil
			},
			get: func(s *Settings) any { return int64(*field(s)) },
		},
	}
}

// span is a limit that is a length of time.
func span(name string, byDefault, low, high time.Duration, field func(*Limits) *time.Duration, beyond string) key {
	return key{
		name: "limits." + name, byDefault: short(byDefault), doc: beyond,
		accepts: fmt.Sprintf("a time in quotes, from %q to %q", short(low), short(high)),
		access: access{
			set: func(s *Settings, value any) any {
				t, ok := value.(string)
				d, err := time.ParseDuration(t)
				if !ok || err != nil || d < low || d > high {
					return value
				}
				*field(&s.Limits) = d
				return nil
			},
			get: func(s *Settings) any { return short(*field(&s.Limits)) },
		},
	}
}

// list takes a list whose items are texts that parse understands.
func list[T any](parse func(string) (T, bool), write func(T) string, field func(*Settings) *[]T) access {
	return access{
		set: func(s *Settings, value any) any {
			given, ok := value.([]any)
			if !ok {
				return value
			}
			items := make([]T, 0, len(given))
			for _, item := range given {
				t, isText := item.(string)
				parsed, ok := parse(t)
				if !isText || !ok {
					return item
				}
				items = append(items, parsed)
			}
			*field(s) = items
			return nil
		},
		get: func(s *Settings) any {
			items := []any{}
			for _, item := range *field(s) {
				items = append(items, write(item))
			}
			return items
		},
	}
}

// parseNetwork takes a network or a single address. IPv4 in IPv6's clothes is IPv4, as it is where people connect.
func parseNetwork(t string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(t)
	if err != nil {
		a, err := netip.ParseAddr(t)
		if err != nil || a.Zone() != "" { // a zone is this machine's name for one of its wires, no network
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 { // reaches beyond what IPv4 is mapped to
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// exempted marks a limit which is counted by address, key or person.
func exempted(k key) key {
	k.exempted = true
	return k
}

// short writes a time as a person would: "10m", not "10m0s".
func short(d time.Duration) string {
	t := d.String()
	if strings.HasSuffix(t, "m0s") {
		t = strings.TrimSuffix(t, "0s")
	}
	if strings.HasSuffix(t, "h0m") {
		t = strings.TrimSuffix(t, "0m")
	}
	return t
}

// show writes a value into a sentence: on one line, printable, and not longer than the sentence can bear.
func show(value any) string {
	switch v := value.(type) {
	case string:
		return strconv.Quote(clip(v))
	case map[string]any:
		return "{...}"
	case []any, []map[string]any:
		return "[...]"
	case time.Time:
		return v.Format(time.RFC3339)
	default: // a number or a boolean
		return fmt.Sprint(v)
	}
}

const clipAt = 64

// clip keeps the first runes of a text that somebody may have made long.
func clip(t string) string {
	n := 0
	for i := range t {
		if n == clipAt {
			return t[:i] + "..."
		}
		n++
	}
	return t
}

// nearest returns the name which takes the fewest typing mistakes to become t. The table that a key lies in does not
// count, so that a key in the wrong table leads to the right one.
func nearest(t string, names []string) string {
	return slices.MinFunc(names, func(a, b string) int {
		return distance(leaf(t), leaf(a)) - distance(leaf(t), leaf(b))
	})
}

// leaf is a key's name without the table that it lies in.
func leaf(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// distance counts the letters to insert, drop or change (Levenshtein) to get from a to b.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j := range to {
			cost := diagonal
			if r != to[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(to)]
}
