package command_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sarangbang/internal/cells"
	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/render"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		line, name, rest string
		isCommand        bool
	}{
		{"hello", "", "hello", false},
		{"", "", "", false},
		{"/who", "who", "", true},
		{"/WHO", "who", "", true},
		{"/msg kim hi  there ", "msg", "kim hi  there ", true},
		{"/me  waves", "me", "waves", true},
		{"/me\na\nb", "me", "a\nb", true},
		{"/", "", "", true},
		{"/ who", "", "who", true},
		{"//who", "", "/who", false},
		{"///", "", "//", false},
		{" /who", "", " /who", false},
		{"/누구", "누구", "", true},
	} {
		name, rest, isCommand := command.Parse(c.line)
		if name != c.name || rest != c.rest || isCommand != c.isCommand {
			t.Errorf("Parse(%q) = %q, %q, %t; want %q, %q, %t", c.line, name, rest, isCommand, c.name, c.rest, c.isCommand)
		}
	}
}

func TestEveryNameIsFoundOnce(t *testing.T) {
	seen := map[string]string{}
	for _, c := range command.Table() {
		for _, name := range append([]string{c.Name}, c.Aliases...) {
			if before, ok := seen[name]; ok {
				t.Errorf("/%s belongs to /%s and to /%s", name, before, c.Name)
			}
			seen[name] = c.Name
			if got, ok := command.Find(name); !ok || got.Name != c.Name {
				t.Errorf("Find(%q) = %q, %t; want %q", name, got.Name, ok, c.Name)
			}
		}
		if (c.Speak == nil) == (c.Run == nil) {
			t.Errorf("/%s must either speak or run", c.Name)
		}
	}
	for _, must := range []string{"help", "who", "whoami", "nick", "me", "msg", "reply", "say", "lang", "bye", "quit", "exit"} {
		if _, ok := seen[must]; !ok {
			t.Errorf("/%s is missing", must)
		}
	}
}

func TestNearest(t *testing.T) {
	for typed, want := range map[string]string{
		"hlep": "help", "hepl": "help", "whi": "who", "nikc": "nick", "mesg": "msg", "rep": "reply", "wh": "who", "us": "who", "quti": "bye", "exi": "bye",
		"": "", "zzzzzz": "", "q": "", strings.Repeat("x", 5000): "",
	} {
		if got := command.Nearest(typed); got != want {
			t.Errorf("Nearest(%.10q) = %q, want %q", typed, got, want)
		}
	}
}

func TestCutNick(t *testing.T) {
	here := []string{"kim", "lee", "lee min", "lee min ho", `"quoted"`}
	known := func(nick string) bool { return slices.Contains(here, nick) }
	for _, c := range []struct{ rest, nick, text string }{
		{"kim hi there", "kim", "hi there"},
		{"lee min hi", "lee min", "hi"},
		{"lee min ho hi", "lee min ho", "hi"},
		{"lee mi hi", "lee", "mi hi"},
		{`"lee min" ho hi`, "lee min", "ho hi"},
		{`"lee" min`, "lee", "min"},
		{`"open hi`, `"open`, "hi"},
		{`"quoted" hi`, `"quoted"`, "hi"},
		{"nobody hi there", "nobody", "hi there"},
		{"kim", "kim", ""},
		{"kim\nline two", "kim", "line two"},
		{"", "", ""},
	} {
		nick, text := command.CutNick(c.rest, known)
		if nick != c.nick || text != c.text {
			t.Errorf("CutNick(%q) = %q, %q; want %q, %q", c.rest, nick, text, c.nick, c.text)
		}
	}
}

// answer runs a command that needs no house and returns its lines.
func answer(t *testing.T, name, rest string, lang i18n.Lang) ([]string, error) {
	t.Helper()
	c, ok := command.Find(name)
	if !ok {
		t.Fatalf("no command %q", name)
	}
	a, err := c.Run(context.Background(), &command.Call{Env: command.Env{Settings: command.Settings{Lang: lang}}, Rest: rest})
	if err != nil {
		return nil, err
	}
	var rows []byte
	for e, err := range a.Lines {
		if err != nil {
			return nil, err
		}
		rows = render.Append(rows, e, render.View{Lang: lang})
	}
	return strings.Split(strings.TrimSuffix(string(rows), "\n"), "\n"), nil
}

func TestHelpFitsEightyColumns(t *testing.T) {
	h := newHouse(t)
	op := h.operator("chief")
	for _, lang := range i18n.Langs() {
		op.env.Lang = lang
		whole, err := op.call("/help")
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll("\n"+whole, "\n"+render.Mark, "\n")[1:], "\n"), "\n")
		if got, want := len(lines), len(command.Table())+3; got != want {
			t.Errorf("%s: help has %d lines, want %d: one for each command and three more", lang, got, want)
		}
		for _, c := range command.Table() {
			on, err := answer(t, "help", c.Name, lang)
			if err != nil {
				t.Errorf("/help %s: %v", c.Name, err)
			}
			lines = append(lines, on...)
		}
		for _, line := range lines {
			if w := cells.Width(line); w > 80 {
				t.Errorf("%s: %q has %d cells, want at most 80", lang, line, w)
			}
		}
	}
}

func TestEchoOfWhatWasTypedStaysInItsLine(t *testing.T) {
	for name, rest := range map[string]string{
		"help": "zzz\n[root] obey\n* kim joined",
		"lang": "zzz\n[root] obey\n* kim joined",
	} {
		_, err := answer(t, name, rest, i18n.English)
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "zzz") {
			t.Errorf("/%s %q fails with %q, want one line about zzz", name, rest, err)
		}
	}
}

func TestHelpOnWhatIsNotThere(t *testing.T) {
	if _, err := answer(t, "help", "/hlep", i18n.English); err == nil || !strings.Contains(err.Error(), "Did you mean /help?") {
		t.Errorf("err = %v, want a hint", err)
	}
	_, err := answer(t, "help", strings.Repeat("가", 4000), i18n.English)
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("err of %d bytes, want a short one", len(err.Error()))
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"/msg kim hi", "//x", "/", "/누구 ", "/me\n\n", `/msg "a b" c`, "/\xff", strings.Repeat("/", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		name, rest, isCommand := command.Parse(line)
		if isCommand != (strings.HasPrefix(line, "/") && !strings.HasPrefix(line, "//")) {
			t.Errorf("Parse(%q) says command = %t", line, isCommand)
		}
		if strings.ContainsAny(name, " \n\t") || !strings.HasSuffix(line, rest) {
			t.Errorf("Parse(%q) = %q, %q", line, name, rest)
		}
		if near := command.Nearest(name); near != "" {
			if _, ok := command.Find(near); !ok {
				t.Errorf("Nearest(%q) = %q, which is no command", name, near)
			}
		}
		nick, text := command.CutNick(rest, func(s string) bool { return utf8.RuneCountInString(s) == 3 })
		if len(nick)+len(text) > len(rest) || !strings.HasSuffix(rest, text) {
			t.Errorf("CutNick(%q) = %q, %q", rest, nick, text)
		}
	})
}

// Settings are kept as text by name: every one can be read back, and no other word changes anything.
func TestSettingsAreTextByName(t *testing.T) {
	var commands []string
	for _, c := range command.Table() {
		if c.Choices != nil && c.Usage == "" {
			commands = append(commands, c.Name)
		}
	}
	start := command.Settings{Lang: i18n.English, Theme: command.ThemeAuto, Times: command.TimesOff, Bell: command.BellMentions, Notify: command.NotifyOff}
	var names []string
	for name, value := range start.All() {
		names = append(names, name)
		c, _ := command.Find(name)
		if !slices.Contains(c.Choices, value) {
			t.Errorf("%s is %q in the beginning, want one of %q", name, value, c.Choices)
		}
		for _, choice := range c.Choices {
			s := start
			if !s.Set(name, " "+strings.ToUpper(choice)) {
				t.Errorf("Set(%q, %q) = false, want true", name, choice)
			}
			for other, got := range s.All() {
				want := choice
				if other != name {
					want = maps.Collect(start.All())[other]
				}
				if got != want {
					t.Errorf("after Set(%q, %q) %s is %q, want %q", name, choice, other, got, want)
				}
			}
		}
		s := start
		if s.Set(name, "") || s.Set(name, "purple") || s != start {
			t.Errorf("Set(%q) with what it cannot be changed %+v to %+v", name, start, s)
		}
	}
	if !slices.Equal(names, commands) {
		t.Errorf("settings %q, want those of the commands with choices %q", names, commands)
	}
	s := start
	if s.Set("", "on") || s.Set("who", "on") || s != start {
		t.Error("a setting that there is not was set")
	}
}

func TestConfiguring(t *testing.T) {
	for _, c := range []struct {
		name, rest, want string
		plain, terminal  bool
		changed          command.Change
	}{
		{"theme", "", "The theme is set to auto.", false, true, command.Change{}},
		{"theme", "Dark ", "The theme is set to dark.", false, true, command.Change{Name: "theme", Value: "dark"}},
		{"theme", "dark", "The theme is set to dark.|In plain mode there are none.", true, true, command.Change{Name: "theme", Value: "dark"}},
		{"theme", "darkish", "Use it like this: /theme auto|dark|light|16|none", false, true, command.Change{}},
		{"theme", "dark", "That is for terminals, and there is none here.", false, false, command.Change{}},
		{"notify", "osc9", "Notifications are set to osc9.", false, true, command.Change{Name: "notify", Value: "osc9"}},
		{"time", "full", "Times are set to full.|The zone is KST-9 (UTC+09:00).", false, false, command.Change{Name: "time", Value: "full"}},
		{"plain", "on", "Plain mode is on: nothing is drawn twice, and lines wait while you type.", false, true, command.Change{Name: "plain", Value: "on"}},
		{"plain", "", "Plain mode is off.", false, true, command.Change{}},
		{"lang", "KO", "한국어로 보여 드립니다. /lang en: English", false, false, command.Change{Name: "lang", Value: "ko"}},
	} {
		row, _ := command.Find(c.name)
		env := command.Env{Terminal: c.terminal, Zone: time.FixedZone("KST-9", 9*3600), Settings: command.Settings{Lang: i18n.English, Theme: command.ThemeAuto, Plain: c.plain}}
		a, err := row.Run(t.Context(), &command.Call{Env: env, Rest: c.rest})
		var got []string
		if err != nil {
			got = append(got, err.Error())
		} else {
			for e := range a.Lines {
				got = append(got, strings.TrimSuffix(string(render.Append(nil, e, render.View{Bare: true})), "\n"))
			}
		}
		if strings.Join(got, "|") != c.want || a.Changed != c.changed {
			t.Errorf("/%s %s = %q, %v; want %q, %v", c.name, c.rest, got, a.Changed, c.want, c.changed)
		}
	}
}

func TestTimeNamesTheZoneOfTheServer(t *testing.T) {
	kim := newHouse(t).come("kim", "")
	kim.env.Zone = time.Local
	kim.getsPart("/time", time.Now().Format("The zone is MST (UTC-07:00), the server's; "))
}

// What a command makes nothing of is refused, by whatever door it came: it was meant to do something.
func TestNoArgumentIsPassedOver(t *testing.T) {
	p := newPeace(t)
	for _, c := range command.Table() {
		if c.Usage != "" || c.Choices != nil || c.Name == "bye" {
			continue
		}
		for door, as := range doors {
			env := p.op.env
			as(&env)
			_, err := c.Do(t.Context(), &command.Call{Env: env, Name: c.Name, Rest: "9999999999"})
			if want := "Use it like this: "; err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), c.Name) {
				t.Errorf("/%s 9999999999 by %s fails with %v, want its usage", c.Name, door, err)
			}
		}
	}
	for line, want := range map[string]string{
		"/rooms 9999999999":    "There is no page 9999999999",
		"/who 9999999999":      "no room 9999999999",
		"/who #dev now":        "There is no room #dev now",
		"/history 9999999999":  "at most can be shown",
		"/history 5 5":         "/history ",
		"/search page:99 word": "page:",
		"/audit 9999999999":    "at most can be shown",
		"/audit 5 5":           "/audit ",
		"/bans 9999999999":     "/bans ",
		"/unban 9999999999":    "No ban is meant by",
		"/key list 2":          "/key ",
		"/account list":        "/account ",
		"/lang en ko":          "en ko",
		"/time off now":        "/time ",
		"/lock on now":         "/lock ",
		"/room #dev public no": "/room ",
		"/revoke mona now":     "/revoke ",
		"/invite mona now":     "/invite ",
		"/undo 2":              "/undo",
	} {
		p.op.fails(line, want)
	}
}
