package command

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// Settings are how one person's screens are drawn. Each has a name, that of its command, and a few words that it can be: so they
// are kept and read back as text, by [Settings.All] and [Settings.Set].
type Settings struct {
	Lang   i18n.Lang
	Theme  Theme
	Times  Times
	Bell   Bell
	Notify Notify
	Plain  bool // append only, for screen readers
}

// Theme says which colours there are.
type Theme string

// The choices of /theme.
const (
	ThemeAuto  Theme = "auto"  // readable on dark and on light
	ThemeDark  Theme = "dark"  // for a dark background
	ThemeLight Theme = "light" // for a light one
	Theme16    Theme = "16"    // the terminal's own colours only, which its user may have chosen
	ThemeNone  Theme = "none"
)

// Times says how much of the time stands before a line.
type Times string

// The choices of /time.
const (
	TimesOff   Times = "off"
	TimesShort Times = "short" // hours and minutes
	TimesFull  Times = "full"  // the day and seconds too
)

// Bell says what the terminal's bell rings for.
type Bell string

// The choices of /bell.
const (
	BellMentions Bell = "mentions" // a line that names the reader, or is for them alone
	BellOn       Bell = "on"       // every line of somebody else
	BellOff      Bell = "off"
)

// Notify says by which sequence the terminal is asked for a notification on the desktop, where it would ring for a mention.
type Notify string

// The choices of /notify.
const (
	NotifyOff    Notify = "off"
	NotifyOSC9   Notify = "osc9"
	NotifyOSC777 Notify = "osc777"
)

// setting is one row of the table of settings.
type setting struct {
	name    string
	choices []string
	get     func(*Settings) string
	set     func(*Settings, string)
	is      func(value string) i18n.Key // the sentence that tells the value
}

// settings lists the settings in the order of their commands.
var settings = []setting{
	choice("lang", func(s *Settings) *i18n.Lang { return &s.Lang }, i18n.LangIs, i18n.Langs()...),
	choice("theme", func(s *Settings) *Theme { return &s.Theme }, i18n.ThemeIs, ThemeAuto, ThemeDark, ThemeLight, Theme16, ThemeNone),
	choice("time", func(s *Settings) *Times { return &s.Times }, i18n.TimeIs, TimesOff, TimesShort, TimesFull),
	choice("bell", func(s *Settings) *Bell { return &s.Bell }, i18n.BellIs, BellMentions, BellOn, BellOff),
	choice("notify", func(s *Settings) *Notify { return &s.Notify }, i18n.NotifyIs, NotifyOff, NotifyOSC9, NotifyOSC777),
	{
		name: "plain", choices: []string{"on", "off"},
		get: func(s *Settings) string {
			if s.Plain {
				return "on"
			}
			return "off"
		},
		set: func(s *Settings, value string) { s.Plain = value == "on" },
		is: func(value string) i18n.Key {
			if value == "on" {
				return i18n.PlainIsOn
			}
			return i18n.PlainIsOff
		},
	},
}

// choice makes the row of a setting that is one of some words.
func choice[T ~string](name string, of func(*Settings) *T, is i18n.Key, values ...T) setting {
	s := setting{
		name: name,
		get:  func(s *Settings) string { return string(*of(s)) },
		set:  func(s *Settings, value string) { *of(s) = T(value) },
		is:   func(string) i18n.Key { return is },
	}
	for _, v := range values {
		s.choices = append(s.choices, string(v))
	}
	return s
}

// find returns the setting of a name. A test holds that each has a command, and each of the commands with choices a setting.
func find(name string) (setting, bool) {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.name == name })
	if i < 0 {
		return setting{}, false
	}
	return settings[i], true
}

// choices are the words that the setting of a name can be.
func choices(name string) []string {
	s, _ := find(name)
	return s.choices
}

// All yields every setting's name and value.
func (s *Settings) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, row := range settings {
			if !yield(row.name, row.get(s)) {
				return
			}
		}
	}
}

// Set gives the setting of that name a value, in any case, and says whether there is such a setting and it can be that. If not,
// nothing has changed.
func (s *Settings) Set(name, value string) bool {
	row, ok := find(name)
	value = strings.ToLower(strings.TrimSpace(value))
	if !ok || !slices.Contains(row.choices, value) {
		return false
	}
	row.set(s, value)
	return true
}

// save keeps settings with the account of a caller who has one.
func (c *Call) save(ctx context.Context, changes ...Change) error {
	if c.Me == nil {
		return nil
	}
	a, has := c.Me.Account()
	if !has {
		return nil
	}
	for _, change := range changes {
		who, ignoring := Ignores(change)
		if a.Settings[change.Name] == change.Value || ignoring && change.Value != "" && who.passing() {
			continue
		}
		void, err := c.House.Act(ctx, c.Me.Person(), room.Configured{Name: change.Name, Value: change.Value})
		if room.Unsaved(err) {
			return fail(i18n.SettingNotSaved)
		}
		if err := refused(void, err); err != nil {
			return err
		}
	}
	return nil
}

// configure is the command of a setting: it tells what that is, or changes it.
func configure(name string) func(context.Context, *Call) (Answer, error) {
	return func(_ context.Context, c *Call) (Answer, error) {
		row, _ := Find(name)
		if row.Screen && !c.Terminal {
			return Answer{}, fail(i18n.NoTerminal)
		}
		s, _ := find(name)
		var a Answer
		if c.Rest != "" {
			if !c.Set(name, c.Rest) { // in this call's own copy
				return Answer{}, c.cannotBe(row)
			}
			a.Changed = Change{Name: name, Value: s.get(&c.Settings)}
		}
		value := s.get(&c.Settings)
		texts := []string{c.Lang.Text(s.is(value), value)}
		if c.Plain && (name == "theme" || name == "notify") {
			texts = append(texts, c.Lang.Text(i18n.PlainHasNone))
		}
		if name == "time" {
			texts = append(texts, c.zoneInForce())
		}
		a.Lines = lines(texts...).Lines
		return a, nil
	}
}

// zoneInForce tells where the caller reads times; of the server's zone also how to ask for another.
func (c *Call) zoneInForce() string {
	zone, now := c.zone(), c.now()
	if zone == time.Local {
		return c.Lang.Text(i18n.TimeZoneServer, now.Format("MST (UTC-07:00)"))
	}
	return c.Lang.Text(i18n.TimeZone, zone.String()+now.Format(" (UTC-07:00)"))
}

// cannotBe fails with what the setting could be.
func (c *Call) cannotBe(row Command) error {
	if row.Name == "lang" {
		return fail(i18n.LangUnknown, shorten(c.Rest))
	}
	return c.usage(row)
}

// bye leaves.
func bye(context.Context, *Call) (Answer, error) { return Answer{Leave: true}, nil }
