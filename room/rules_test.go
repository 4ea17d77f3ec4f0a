package room_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"sarangbang/room"
)

func personOf(nick room.Nick) room.Person {
	return room.Person{ID: room.PersonID("id:" + nick), Nick: nick}
}

func text(s string) room.Text { return room.Sentence(s) }

// step is one record of a story and what the rules must make of it.
type step struct {
	from  room.Person
	where room.Subject // the lobby if empty
	body  room.Body
	want  string // "shown", "hidden" (it takes effect) or the reason why it is void
	as    room.Nick
}

func verdict(v room.Verdict) string {
	switch {
	case v.Void != "" && v.Shown:
		return "void and shown"
	case v.Void != "":
		return string(v.Void)
	case v.Shown:
		return "shown"
	}
	return "hidden"
}

func TestRules(t *testing.T) {
	ann, bob := personOf("ann"), personOf("bob")
	join := func(s room.ScreenID) room.Body { return room.Joined{Screen: s} }
	visit := func(s room.ScreenID) room.Body { return room.Joined{Screen: s, Visit: true} }
	part := func(s room.ScreenID) room.Body { return room.Parted{Screen: s, Why: room.EndingLeft} }
	said := room.Said{Text: text("hi")}
	emoted := room.Emoted{Text: text("waves")}
	told := func(to room.Person) room.Body { return room.Told{To: to, Text: text("psst")} }
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"who is not there cannot speak", []step{
			{from: ann, body: said, want: "not_member"},
			{from: ann, body: emoted, want: "not_member"},
			{from: ann, body: told(ann), want: "not_member"},
			{from: ann, body: room.Renamed{To: "eve"}, want: "not_member"},
			{from: ann, body: join("1"), want: "shown"},
			{from: ann, body: said, want: "shown"},
			{from: ann, body: emoted, want: "shown"},
			{from: bob, body: said, want: "not_member"},
			{from: ann, body: part("1"), want: "shown"},
			{from: ann, body: said, want: "not_member"},
		}},
		{"rooms that do not exist", []step{
			{from: ann, where: "room/attic", body: join("1"), want: "no_room"},
			{from: ann, body: join("1"), want: "shown"},
			{from: ann, where: "room/attic", body: said, want: "not_member"},
			{from: ann, where: "room/attic", body: part("1"), want: "repeated"},
			{from: ann, body: said, want: "shown"},
		}},
		{"only the first and the last screen are announced", []step{
			{from: ann, body: join("1"), want: "shown"},
			{from: ann, body: join("2"), want: "hidden"},
			{from: ann, body: join("3"), want: "hidden"},
			{from: ann, body: part("1"), want: "hidden"},
			{from: ann, body: said, want: "shown"},
			{from: ann, body: part("3"), want: "hidden"},
			{from: ann, body: part("2"), want: "shown"},
			{from: ann, body: join("4"), want: "shown"},
		}},
		{"a screen comes once and leaves once", []step{
			{from: ann, body: part("1"), want: "repeated"},
			{from: ann, body: join("1"), want: "shown"},
			{from: ann, body: join("1"), want: "repeated"},
			{from: ann, body: visit("1"), want: "repeated"},
			{from: ann, body: part("2"), want: "repeated"},
			{from: bob, body: part("1"), want: "repeated"}, // nobody parts another's screen
			{from: ann, body: said, want: "shown"},
			{from: ann, body: part("1"), want: "shown"},
			{from: ann, body: part("1"), want: "repeated"},
		}},
		{"a visit is not announced and may speak", []step{
			{from: ann, body: visit("1"), want: "hidden"},
			{from: ann, body: said, want: "shown"},
			{from: ann, body: part("1"), want: "hidden"},
			{from: ann, body: said, want: "not_member"},
			{from: ann, body: join("2"), want: "shown"},
			{from: ann, body: visit("3"), want: "hidden"},
			{from: ann, body: part("2"), want: "shown"}, // the last listed one
			{from: ann, body: said, want: "shown"},
			{from: ann, body: join("4"), want: "shown"},
			{from: ann, body: part("3"), want: "hidden"},
			{from: ann, body: part("4"), want: "shown"},
		}},
		{"direct messages need somebody listed", []step{
			{from: ann, body: join("1"), want: "shown"},
			{from: ann, body: told(bob), want: "gone"},
			{from: ann, body: told(ann), want: "shown"},
			{from: bob, body: visit("2"), want: "hidden"},
			{from: ann, body: told(bob), want: "gone"},
			{from: bob, body: told(ann), want: "shown"},
			{from: bob, body: join("3"), want: "shown"},
			{from: ann, body: told(bob), want: "shown"},
			{from: bob, body: part("3"), want: "shown"},
			{from: ann, body: told(bob), want: "gone"},
		}},
		{"a line on its way carries the new name", []step{
			{from: ann, body: join("1"), want: "shown", as: "ann"},
			{from: ann, body: room.Renamed{To: "eve"}, want: "shown", as: "ann"},
			{from: ann, body: said, want: "shown", as: "eve"},
			{from: ann, body: told(ann), want: "shown", as: "eve"},
			{from: ann, body: join("2"), want: "hidden", as: "eve"},
			{from: ann, body: room.Renamed{To: "eva"}, want: "shown", as: "eve"},
			{from: ann, body: part("1"), want: "hidden", as: "eva"},
			{from: ann, body: part("2"), want: "shown", as: "eva"},
			{from: ann, body: join("3"), want: "shown", as: "ann"}, // a new stay under the name they come with
		}},
		{"a visitor's rename is shown to nobody", []step{
			{from: ann, body: visit("1"), want: "hidden"},
			{from: ann, body: room.Renamed{To: "eve"}, want: "hidden"},
			{from: ann, body: said, want: "shown", as: "eve"},
		}},
		{"what is unknown has no effect", []step{
			{from: ann, body: room.Unknown{Kind: "painted"}, want: "unknown"},
			{from: ann, body: room.Notice{Text: text("forged")}, want: "unknown"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := room.NewRules()
			for i, s := range tt.steps {
				where := s.where
				if where == "" {
					where = room.Lobby
				}
				e := &room.Event{Seq: room.Seq(i + 1), Subject: where, From: s.from, Body: s.body}
				got := rules.Apply(e)
				if verdict(got) != s.want {
					t.Errorf("step %d, %T of %s: %s, want %s", i, s.body, s.from.Nick, verdict(got), s.want)
				}
				if s.as != "" && got.From.Nick != s.as {
					t.Errorf("step %d, %T is from %s, want %s", i, s.body, got.From.Nick, s.as)
				}
				if got.From.ID != s.from.ID {
					t.Errorf("step %d, %T is of %s, want %s", i, s.body, got.From.ID, s.from.ID)
				}
			}
		})
	}
}

func TestVoidsListsEveryReason(t *testing.T) {
	want := []room.Void{
		room.VoidNotMember, room.VoidGone, room.VoidNoSuchRoom, room.VoidRepeated, room.VoidUnknown, room.VoidUnreadable,
		room.VoidTaken, room.VoidNoAccount, room.VoidLastKey, room.VoidKeys, room.VoidFull,
		room.VoidNotAllowed, room.VoidProtected, room.VoidBanned, room.VoidMuted, room.VoidSlow, room.VoidLocked, room.VoidPrivate,
		room.VoidNobody, room.VoidNoAct, room.VoidFinal, room.VoidChanged, room.VoidNoChange, room.VoidTooMany, room.VoidInUse,
	}
	if got := room.Voids(); !slices.Equal(got, want) {
		t.Errorf("Voids = %v, want %v", got, want)
	}
}

// story makes a random log in which most records make sense.
func story(seed uint64) []*room.Event {
	rnd := rand.New(rand.NewPCG(seed, 7))
	people := []room.Person{personOf("ann"), personOf("bob"), personOf("cho"), personOf("dan")}
	var log []*room.Event
	for i := range 400 {
		p := people[rnd.IntN(len(people))]
		screen := room.ScreenID(fmt.Sprintf("%s-%d", p.Nick, rnd.IntN(3)))
		where := room.Lobby
		if rnd.IntN(20) == 0 {
			where = "room/attic"
		}
		var body room.Body
		names := func() []string { // mostly one's own
			if rnd.IntN(8) == 0 {
				return []string{"case:" + string(people[rnd.IntN(len(people))].Nick)}
			}
			return []string{"case:" + string(p.Nick)}
		}
		key := fmt.Sprintf("SHA256:%d", rnd.IntN(4))
		p.Key = "SHA256:" + string(p.Nick)
		switch rnd.IntN(13) {
		case 0, 1:
			body = room.Joined{Screen: screen, Visit: rnd.IntN(3) == 0, Names: names()}
		case 2, 3:
			body = room.Parted{Screen: screen, Why: room.EndingLost}
		case 4:
			body = room.Renamed{To: p.Nick, Names: names()}
			if rnd.IntN(3) == 0 {
				body = room.Renamed{To: room.Nick(fmt.Sprintf("%s%d", p.Nick, i))}
			}
		case 8:
			body = room.Registered{Names: names()}
		case 9:
			body = room.KeyAdded{Key: key}
		case 10:
			body = room.KeyRemoved{Key: key}
			if rnd.IntN(2) == 0 {
				body = room.KeyRemoved{Key: p.Key}
			}
		case 11:
			body = room.Configured{Name: "lang", Value: "ko"}
		case 12:
			if rnd.IntN(3) > 0 {
				continue
			}
			body = room.Erased{Until: time.Unix(int64(i+20), 0)}
		case 5:
			body = room.Told{To: people[rnd.IntN(len(people))], Text: text("psst")}
		case 6:
			body = room.Unknown{Kind: "painted"}
		default:
			body = room.Said{Text: text("hi")}
		}
		log = append(log, &room.Event{Seq: room.Seq(i + 1), Subject: where, At: time.Unix(int64(i), 0), From: p, Body: body})
	}
	return log
}

// seats is the simplest thing that could be right about who is where: the screens of everybody, and who is listed.
type seats struct {
	screens map[room.PersonID]map[room.ScreenID]bool // true if listed
	nicks   map[room.PersonID]room.Nick              // of who is here
	keys    map[room.PersonID][]string               // of accounts
	owners  map[string]room.PersonID                 // of names
	held    map[string]time.Time
	erased  map[room.PersonID]bool // who is here still
}

func newSeats() seats {
	return seats{
		map[room.PersonID]map[room.ScreenID]bool{},
		map[room.PersonID]room.Nick{},
		map[room.PersonID][]string{},
		map[string]room.PersonID{},
		map[string]time.Time{},
		map[room.PersonID]bool{},
	}
}

func (s seats) mayWear(id room.PersonID, names []string, at time.Time) bool {
	return !slices.ContainsFunc(names, func(n string) bool {
		return s.owners[n] != "" && s.owners[n] != id || at.Before(s.held[n])
	})
}

func (s seats) opens(key string) bool {
	for _, keys := range s.keys {
		if slices.Contains(keys, key) {
			return true
		}
	}
	return false
}

// account says what must become of a record about an account.
func (s seats) account(e *room.Event) string {
	id := e.From.ID
	keys := s.keys[id]
	if b, ok := e.Body.(room.Registered); ok {
		switch {
		case len(s.screens[id]) == 0 || s.nicks[id] != e.From.Nick:
			return "not_member"
		case keys != nil:
			return "repeated"
		case !s.mayWear(id, b.Names, e.At) || s.opens(e.From.Key):
			return "taken"
		}
		s.keys[id] = []string{e.From.Key}
		s.owners[b.Names[0]] = id
		return "hidden"
	}
	if keys == nil {
		return "no_account"
	}
	switch b := e.Body.(type) {
	case room.KeyAdded:
		if s.opens(b.Key) {
			return "taken"
		}
		s.keys[id] = append(keys, b.Key)
	case room.KeyRemoved:
		switch {
		case !slices.Contains(keys, b.Key):
			return "repeated"
		case len(keys) == 1:
			return "last_key"
		}
		s.keys[id] = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == b.Key })
	case room.Erased:
		delete(s.keys, id)
		s.erased[id] = len(s.screens[id]) > 0
		for n, owner := range s.owners {
			if owner == id {
				delete(s.owners, n)
				s.held[n] = b.Until
			}
		}
	default:
	}
	return "hidden"
}

func (s seats) listed(id room.PersonID) (n int) {
	for _, listed := range s.screens[id] {
		if listed {
			n++
		}
	}
	return n
}

// expect says what must become of an event, by the model.
func (s seats) expect(e *room.Event) string {
	mine := s.screens[e.From.ID]
	if _, leaves := e.Body.(room.Parted); !leaves {
		switch keys := s.keys[e.From.ID]; {
		case s.erased[e.From.ID]:
			return "not_member"
		case keys != nil && !slices.Contains(keys, e.From.Key):
			return "taken"
		}
	}
	shownIf := func(yes bool) string {
		if yes {
			return "shown"
		}
		return "hidden"
	}
	switch b := e.Body.(type) {
	case room.Joined:
		_, here := mine[b.Screen]
		switch {
		case e.Subject != room.Lobby:
			return "no_room"
		case !s.mayWear(e.From.ID, b.Names, e.At):
			return "taken"
		case here:
			return "repeated"
		}
		if len(mine) == 0 {
			s.nicks[e.From.ID] = e.From.Nick
		}
		first := !b.Visit && s.listed(e.From.ID) == 0
		if mine == nil {
			mine = map[room.ScreenID]bool{}
			s.screens[e.From.ID] = mine
		}
		mine[b.Screen] = !b.Visit
		return shownIf(first)
	case room.Parted:
		listed, here := mine[b.Screen]
		if !here || e.Subject != room.Lobby {
			return "repeated"
		}
		delete(mine, b.Screen)
		if len(mine) == 0 {
			delete(s.erased, e.From.ID)
		}
		return shownIf(listed && s.listed(e.From.ID) == 0)
	case room.Said, room.Emoted:
		if len(mine) == 0 || e.Subject != room.Lobby {
			return "not_member"
		}
		return "shown"
	case room.Told:
		switch {
		case len(mine) == 0:
			return "not_member"
		case s.listed(b.To.ID) == 0 && s.keys[b.To.ID] == nil:
			return "gone"
		}
		return "shown"
	case room.Renamed:
		switch {
		case len(mine) == 0:
			return "not_member"
		case !s.mayWear(e.From.ID, b.Names, e.At):
			return "taken"
		}
		s.nicks[e.From.ID] = b.To
		return shownIf(s.listed(e.From.ID) > 0)
	case room.Registered, room.KeyAdded, room.KeyRemoved, room.Configured, room.Erased:
		return s.account(e)
	default: // these stories are about nothing else
	}
	return "unknown"
}

func TestRulesAgreeWithASimpleModel(t *testing.T) {
	for seed := range uint64(100) {
		rules, model := room.NewRules(), newSeats()
		for _, e := range story(seed) {
			want := model.expect(e)
			if got := verdict(rules.Apply(e)); got != want {
				t.Fatalf("story %d, event %d, %+v of %s: %s, want %s", seed, e.Seq, e.Body, e.From.Nick, got, want)
			}
		}
	}
}

func TestTheSameLogGivesTheSameVerdicts(t *testing.T) {
	reasons := map[string]int{}
	for seed := range uint64(50) {
		log := story(seed)
		first, second := room.NewRules(), room.NewRules()
		for _, e := range log {
			v := first.Apply(e)
			if again := second.Apply(e); !reflect.DeepEqual(v, again) {
				t.Fatalf("story %d, event %d: %+v, in a replay %+v", seed, e.Seq, v, again)
			}
			reasons[verdict(v)]++
		}
	}
	want := []string{"gone", "hidden", "last_key", "no_account", "no_room", "not_member", "repeated", "shown", "taken", "unknown"}
	if got := slices.Sorted(maps.Keys(reasons)); !slices.Equal(got, want) {
		t.Errorf("the stories came to %v, want each of %v", got, want)
	}
}

func TestWhatIsUndoneLeavesNothingBehind(t *testing.T) {
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 8))
		tried, plain := room.NewRules(), room.NewRules()
		other := story(seed + 1000)
		for i, e := range story(seed) {
			if rnd.IntN(4) == 0 {
				tried.Attempt()
				from := rnd.IntN(len(other))
				for _, o := range other[from:min(from+rnd.IntN(20), len(other))] {
					tried.Apply(o)
				}
				tried.Undo()
			}
			tried.Attempt()
			got := tried.Apply(e)
			tried.Keep()
			if want := plain.Apply(e); !reflect.DeepEqual(got, want) {
				t.Fatalf("story %d, event %d, %+v: %+v after what was undone, want %+v", seed, i, e.Body, got, want)
			}
		}
	}
}

func TestAnAccountHasSixteenKeysAtMost(t *testing.T) {
	rules, ann := room.NewRules(), personOf("ann")
	ann.Key = "SHA256:1"
	keys := make([]string, room.MaxKeys-1)
	for i := range keys {
		keys[i] = fmt.Sprint("SHA256:", i)
	}
	restore(t, rules, room.Snapshot{Accounts: []room.Account{{ID: ann.ID, Nick: "ann", Names: []string{"case:ann"}, Keys: keys}}})
	for i, tt := range []struct {
		body room.Body
		want string
	}{
		{room.KeyAdded{Key: "SHA256:sixteenth"}, "hidden"},
		{room.KeyAdded{Key: "SHA256:one too many"}, "too_many_keys"},
		{room.KeyRemoved{Key: "SHA256:0"}, "hidden"},
		{room.KeyAdded{Key: "SHA256:one too many"}, "hidden"},
	} {
		if got := verdict(rules.Apply(&room.Event{Seq: room.Seq(i + 1), From: ann, Body: tt.body})); got != tt.want {
			t.Errorf("step %d, %+v: %s, want %s", i, tt.body, got, tt.want)
		}
	}
}

func TestRestoredRulesKnowTheAccounts(t *testing.T) {
	at := time.Unix(1_000_000, 0)
	rules := room.NewRules()
	restore(t, rules, room.Snapshot{
		Accounts: []room.Account{{ID: "id:ann", Nick: "ann", Names: []string{"case:ann", "skel:ann"}, Keys: []string{"SHA256:a", "SHA256:b"}}},
		Held:     []room.Holding{{Name: "case:old", Until: at.Add(time.Hour)}},
	})
	ann, bob := personOf("ann"), personOf("bob")
	lost := ann
	ann.Key, lost.Key = "SHA256:b", "SHA256:a"
	for i, tt := range []struct {
		at   time.Time
		from room.Person
		body room.Body
		want string
	}{
		{at, bob, room.Joined{Screen: "1", Names: []string{"case:ann"}}, "taken"},
		{at, bob, room.Joined{Screen: "1", Names: []string{"case:other", "skel:ann"}}, "taken"},
		{at, bob, room.Joined{Screen: "1", Names: []string{"case:old"}}, "taken"},
		{at, bob, room.Joined{Screen: "1", Names: []string{"case:bob"}}, "shown"},
		{at, bob, room.Renamed{To: "Ann", Names: []string{"case:ann"}}, "taken"},
		{at, bob, room.Told{To: ann, Text: text("for later")}, "shown"},
		{at, ann, room.Joined{Screen: "2", Names: []string{"case:ann"}}, "shown"},
		{at, lost, room.Said{Text: text("mine too")}, "shown"},
		{at, ann, room.KeyRemoved{Key: "SHA256:a"}, "hidden"},
		{at, lost, room.Said{Text: text("no more")}, "taken"},
		{at, lost, room.KeyAdded{Key: "SHA256:c"}, "taken"},
		{at, lost, room.Joined{Screen: "3", Names: []string{"case:ann"}}, "taken"},
		{at, ann, room.KeyRemoved{Key: "SHA256:b"}, "last_key"},
		{at, ann, room.Erased{Until: at.Add(time.Hour)}, "hidden"},
		{at, ann, room.Said{Text: text("still here")}, "not_member"},
		{at, ann, room.Parted{Screen: "2"}, "shown"},
		{at, bob, room.Renamed{To: "ann", Names: []string{"case:ann"}}, "taken"},
		{at.Add(time.Hour), bob, room.Renamed{To: "ann", Names: []string{"case:ann"}}, "shown"},
		{at.Add(time.Hour), bob, room.Renamed{To: "old", Names: []string{"case:old"}}, "shown"},
	} {
		e := &room.Event{Seq: room.Seq(i + 1), Subject: room.Lobby, At: tt.at, From: tt.from, Body: tt.body}
		if got := verdict(rules.Apply(e)); got != tt.want {
			t.Errorf("step %d, %T of %s: %s, want %s", i, tt.body, tt.from.Nick, got, tt.want)
		}
	}
}

func restore(t *testing.T, rules *room.Rules, s room.Snapshot) {
	t.Helper()
	if err := rules.Restore(s); err != nil {
		t.Fatalf("restore: %v", err)
	}
}
