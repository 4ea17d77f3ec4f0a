package command

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sarangbang/internal/i18n"
	"sarangbang/room"
)

// This file keeps people out or silent, shows beforehand whom that would hit, and lets them in again.

// How long bars last for which nobody says it.
const (
	banFor  = 24 * time.Hour
	muteFor = 10 * time.Minute
)

// mute and ban keep people from speaking, and out.
func mute(ctx context.Context, c *Call) (Answer, error) { return bar(ctx, c, true) }
func ban(ctx context.Context, c *Call) (Answer, error)  { return bar(ctx, c, false) }

func bar(ctx context.Context, c *Call, mute bool) (Answer, error) {
	b, err := c.barring(mute)
	if err != nil {
		return Answer{}, err
	}
	p := c.House.Preview(b)
	switch {
	case p.Void != "":
		return Answer{}, Voided(p.Void, p.Bar, c.House, c.zone(), c.Contact)
	case c.With[dryRun]:
		return lines(c.foretold(b, p)...), nil
	case p.Shared > 1 && !c.With["shared"]:
		return Answer{}, fail(i18n.BarShared, p.Shared, strings.Join(behind(p), ", "))
	}
	r, err := c.do(ctx, b.Where, room.Barred{Bar: b})
	if err != nil {
		return Answer{}, err
	}
	done, lift := i18n.Banned, "/unban "
	if mute {
		done, lift = i18n.Muted, "/unmute "
	}
	out := []string{c.sentence(done, c.barArgs(b)...)}
	if len(r.Out) == 0 {
		out = append(out, c.Lang.Text(i18n.HitNobody))
	} else {
		out = append(out, c.counted(i18n.HitNow, len(r.Out), nicksOf(r.Out))...)
	}
	return lines(append(out, c.Lang.Text(i18n.BarLifts, lift+quoted(b.Label)))...), nil
}

// sentence is a sentence with others within it.
func (c *Call) sentence(key i18n.Key, args ...any) string {
	return (&Failure{Say: key, Args: args}).Sentence(c.Lang)
}

// barArgs are whom a bar means, from where it keeps them, until when and why.
func (c *Call) barArgs(b room.Bar) []any {
	return []any{c.meaning(b), c.in(b.Where), c.until(b.Until), because(b.Reason)}
}

// meaning is what a bar is called, with the addresses that it means besides for whoever may see them: those keep others out as well.
func (c *Call) meaning(b room.Bar) string {
	if _, may := c.House.May(c.as(), room.DeedAddresses, b.Where); !may {
		return b.Label
	}
	var nets []string
	for _, net := range b.Target.Nets {
		if name := called(net); name != b.Label {
			nets = append(nets, name)
		}
	}
	return aside(b.Label, nets)
}

// until is the end of a bar, within a sentence.
func (c *Call) until(t time.Time) any {
	if t.IsZero() {
		return nested{&Failure{Say: i18n.UntilLifted}}
	}
	return nested{&Failure{Say: i18n.UntilThen, Args: []any{c.day(t)}}}
}

// quoted is a nickname as a command takes it.
func quoted(label string) string {
	if strings.ContainsAny(label, " ") {
		return `"` + label + `"`
	}
	return label
}

func nicksOf(people []room.Person) []string {
	out := make([]string, len(people))
	for i, p := range people {
		out[i] = string(p.Nick)
	}
	return out
}

// counted is a sentence about so many people, and who they are, in lines that are not too long.
func (c *Call) counted(key i18n.Key, n int, names []string) []string {
	var out []string
	for some := range slices.Chunk(names, namesInLine) {
		text := strings.Join(some, ", ")
		if out == nil {
			text = c.Lang.Text(key, n, text)
		}
		out = append(out, text)
	}
	return out
}

// foretold tells what a bar would do.
func (c *Call) foretold(b room.Bar, p room.Preview) []string {
	key := i18n.WouldBan
	if b.Mute {
		key = i18n.WouldMute
	}
	out := []string{c.sentence(key, c.barArgs(b)...)}
	if c.outside(b.Where) {
		return append(out, c.Lang.Text(i18n.WouldHitInside, nameOf(c.House, b.Where)), c.Lang.Text(i18n.NothingDone))
	}
	_, addresses := c.House.May(c.as(), room.DeedAddresses, b.Where)
	var names []string
	for _, who := range p.Here {
		var where []string
		for _, at := range c.House.RoomsOf(who.ID) {
			if (b.Where == room.HouseSubject || b.Where == at) && c.House.Knows(c.as(), at) {
				where = append(where, nameOf(c.House, at))
			}
		}
		if addresses {
			for _, a := range c.House.Looks(who).Addrs {
				if !slices.Contains(where, a.String()) {
					where = append(where, a.String())
				}
			}
		}
		names = append(names, aside(string(who.Nick), where))
	}
	if names == nil {
		out = append(out, c.Lang.Text(i18n.HitNobody))
	} else {
		out = append(out, c.counted(i18n.WouldHit, len(names), names)...)
	}
	names = nil
	for _, visits := range lately(p) {
		about := []string{c.day(visits[0].At)}
		for _, s := range visits {
			if addresses && !slices.Contains(about, s.Addr.String()) {
				about = append(about, s.Addr.String())
			}
		}
		names = append(names, aside(string(visits[0].Person.Nick), about))
	}
	if names != nil {
		out = append(out, c.counted(i18n.WouldHitLately, len(names), names)...)
	}
	if p.Shared > 1 {
		out = append(out, c.Lang.Text(i18n.WouldShare, p.Shared))
	}
	return append(out, c.Lang.Text(i18n.NothingDone))
}

// outside says that the caller, an operator, may act in a room and yet not learn who is in it: they were not let into it.
func (c *Call) outside(where room.Subject) bool {
	return where != room.HouseSubject && !c.House.Knows(c.as(), where)
}

// lately gathers the visits of each person whom a preview has found and who is not here now, both the last first. A guest without a key
// is another person at every visit: they are known by what they were called, to whoever reads it.
func lately(p room.Preview) [][]room.Sighting {
	same := func(a, b room.Person) bool { return a.ID == b.ID || a.Key == "" && b.Key == "" && a.Nick == b.Nick }
	var people [][]room.Sighting
	for _, s := range p.Lately {
		is := func(q room.Person) bool { return same(q, s.Person) }
		at := slices.IndexFunc(people, func(visits []room.Sighting) bool { return is(visits[0].Person) })
		switch {
		case slices.ContainsFunc(p.Here, is):
		case at >= 0:
			people[at] = append(people[at], s)
		default:
			people = append(people, []room.Sighting{s})
		}
	}
	return people
}

// aside is what somebody is called, with what is to be known of them.
func aside(nick string, about []string) string {
	if len(about) == 0 {
		return nick
	}
	return nick + " (" + strings.Join(about, ", ") + ")"
}

// behind names the people whom a preview has found, each once and a few only.
func behind(p room.Preview) []string {
	var nicks []string
	for _, who := range p.Here {
		nicks = append(nicks, string(who.Nick))
	}
	for _, s := range p.Lately {
		nicks = append(nicks, string(s.Person.Nick))
	}
	slices.Sort(nicks)
	nicks = slices.Compact(nicks)
	if len(nicks) > namesInLine {
		nicks = append(nicks[:namesInLine], "…")
	}
	return nicks
}

// inForce lists the bars that a caller may learn of in a room, in the order in which they were set: of the house only for those who
// keep people out of that.
func (c *Call) inForce(where room.Subject) []room.Bar {
	all := c.House.Bars(where)
	if _, may := c.House.May(c.as(), room.DeedHouseBan, where); may {
		all = append(all, c.House.Bars(room.HouseSubject)...)
	}
	slices.SortFunc(all, func(a, b room.Bar) int {
		if order := a.At.Compare(b.At); order != 0 {
			return order
		}
		return strings.Compare(a.ID.String(), b.ID.String())
	})
	return all
}

// bans lists whom a room, and to operators the house, keeps out or silent.
func bans(_ context.Context, c *Call) (Answer, error) {
	where, rest, err := c.place()
	if err != nil {
		return Answer{}, err
	}
	if rest != "" {
		row, _ := Find("bans")
		return Answer{}, c.usage(row)
	}
	all := c.inForce(where)
	if len(all) == 0 {
		return c.say(i18n.BarsNone, nameOf(c.House, where)), nil
	}
	out := make([]string, len(all))
	for i, b := range all {
		key := i18n.BarsBan
		if b.Mute {
			key = i18n.BarsMute
		}
		out[i] = c.sentence(key, append([]any{i + 1}, append(c.barArgs(b), b.By.Nick, c.day(b.At))...)...)
	}
	return lines(out...), nil
}

// unban and unmute let people in, and speak, again.
func unban(ctx context.Context, c *Call) (Answer, error)  { return lift(ctx, c, false) }
func unmute(ctx context.Context, c *Call) (Answer, error) { return lift(ctx, c, true) }

// lift ends the bar of a number, or all bars of the kind that mean somebody.
func lift(ctx context.Context, c *Call, mute bool) (Answer, error) {
	where, rest, err := c.place()
	if err != nil {
		return Answer{}, err
	}
	typed := strings.TrimSpace(rest)
	if typed == "" {
		row, _ := Find(c.Name)
		return Answer{}, c.usage(row)
	}
	bars := c.meant(c.inForce(where), typed, mute)
	if !c.With[dryRun] {
		bars, err = c.lifted(ctx, bars)
	}
	var out []string
	for _, b := range bars {
		if told := c.letIn(b, bars); !slices.Contains(out, told) {
			out = append(out, told)
		}
	}
	switch {
	case err != nil:
		return lines(out...), err
	case len(out) == 0 && mute:
		return Answer{}, fail(i18n.UnmuteNone, shorten(typed))
	case len(out) == 0:
		return Answer{}, fail(i18n.UnbanNone, shorten(typed))
	case c.With[dryRun]:
		out = append(out, c.Lang.Text(i18n.NothingDone))
	}
	return lines(out...), nil
}

// liftSays are what is said of a bar that is lifted, or would be, alone or while another one holds.
var liftSays = map[bool]struct{ ban, mute, banOne, muteOne i18n.Key }{
	false: {i18n.Unbanned, i18n.Unmuted, i18n.UnbannedOne, i18n.UnmutedOne},
	true:  {i18n.WouldUnban, i18n.WouldUnmute, i18n.WouldUnbanOne, i18n.WouldUnmuteOne},
}

// letIn says what comes of lifting a bar together with others.
func (c *Call) letIn(b room.Bar, lifted []room.Bar) string {
	say := liftSays[c.With[dryRun]]
	free, one := say.ban, say.banOne
	if b.Mute {
		free, one = say.mute, say.muteOne
	}
	if still, holds := c.holding(b, lifted); holds {
		return c.sentence(one, b.Label, c.in(still.Where), c.until(still.Until))
	}
	return c.sentence(free, b.Label, c.in(b.Where))
}

// holding returns the bar that goes on doing what a lifted one did to whom that meant: of those that are not lifted with it, the one that
// lasts longest. It may be one of the house, of which the caller learns no more than that.
func (c *Call) holding(b room.Bar, lifted []room.Bar) (still room.Bar, holds bool) {
	others := c.House.Bars(b.Where)
	if b.Where != room.HouseSubject {
		others = append(others, c.House.Bars(room.HouseSubject)...)
	}
	meant := []room.Seeker{{Keys: b.Target.Keys, Names: b.Target.Names}}
	for _, id := range b.Target.Persons {
		meant = append(meant, c.House.Looks(room.Person{ID: id}))
	}
	for _, o := range others {
		hits := slices.ContainsFunc(meant, o.Target.Hits) || slices.ContainsFunc(o.Target.Nets, func(net netip.Prefix) bool {
			return slices.ContainsFunc(b.Target.Nets, net.Overlaps)
		})
		ends := slices.ContainsFunc(lifted, func(l room.Bar) bool { return l.ID == o.ID })
		longer := !holds || !still.Until.IsZero() && (o.Until.IsZero() || o.Until.After(still.Until))
		if hits && !ends && longer && o.Mute == b.Mute {
			still, holds = o, true
		}
	}
	return still, holds
}

// mostLifted is how many bars one record lifts.
const mostLifted = 50

// lifted lifts bars of one kind, of one room and of the house, together, and returns which it has: the others ended, or somebody else
// lifted them, since they were looked up. The room is told of its own ones alone.
func (c *Call) lifted(ctx context.Context, bars []room.Bar) (done []room.Bar, err error) {
	for some := range slices.Chunk(bars, mostLifted) {
		where, b := room.HouseSubject, room.Lifted{Mute: some[0].Mute}
		for _, bar := range some {
			b.Bars = append(b.Bars, bar.ID)
			if bar.Where != room.HouseSubject {
				where = bar.Where
			}
		}
		var labels []string
		for _, bar := range some {
			if bar.Where == where && !slices.Contains(labels, bar.Label) {
				labels = append(labels, bar.Label)
			}
		}
		b.Label = strings.Join(labels, ", ")
		r, err := c.do(ctx, where, b)
		switch {
		case r.Void == room.VoidNoAct:
			continue
		case err != nil:
			return done, err
		}
		for _, bar := range r.Act.Bars() {
			done = append(done, *bar)
		}
	}
	return done, nil
}

// meant finds bars by their number, or by whom they mean.
func (c *Call) meant(all []room.Bar, typed string, mute bool) []room.Bar {
	if n, err := strconv.Atoi(typed); err == nil {
		if n < 1 || n > len(all) {
			return nil
		}
		return all[n-1 : n]
	}
	bare := strings.Trim(typed, `"`)
	name := ""
	if n, ok := c.nickname(bare); ok {
		name = n.Keys()[0]
	}
	key, net := fingerprintAndPrefix(typed)
	return slices.DeleteFunc(all, func(b room.Bar) bool {
		hit := strings.EqualFold(b.Label, bare) || name != "" && slices.Contains(b.Target.Names, name) ||
			key != "" && slices.Contains(b.Target.Keys, key) || net.IsValid() && slices.Contains(b.Target.Nets, net)
		return b.Mute != mute || !hit
	})
}
