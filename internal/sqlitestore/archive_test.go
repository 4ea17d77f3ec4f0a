package sqlitestore_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// house is a store with people in it.
type house struct {
	testing.TB
	*sqlitestore.Store
}

func newHouse(tb testing.TB) *house {
	tb.Helper()
	return &house{tb, openStore(tb, newPath(tb))}
}

// post appends what somebody does and returns its place.
func (h *house) post(from room.Person, b room.Body) room.Seq {
	h.Helper()
	seqs, err := h.Append(h.Context(), room.Encode(from, room.Lobby, b))
	if err != nil {
		h.Fatalf("Append of %T = %v, want no error", b, err)
	}
	return seqs[0]
}

// come brings somebody in. Without a key they are a guest.
func (h *house) come(nick room.Nick, key string) room.Person {
	h.Helper()
	p := room.Person{ID: room.PersonID("conn:" + nick), Nick: nick}
	if key != "" {
		p.ID, p.Key = room.PersonID("key:"+key+"/case:"+string(nick)), key
	}
	h.post(p, room.Joined{Screen: "screen of " + room.ScreenID(nick), Names: names(nick)})
	return p
}

func names(nick room.Nick) []string { return []string{"case:" + string(nick), "skel:" + string(nick)} }

func (h *house) say(from room.Person, text string) room.Seq {
	h.Helper()
	return h.post(from, room.Said{Text: room.Sentence(text)})
}

func (h *house) tell(from, to room.Person, text string) room.Seq {
	h.Helper()
	return h.post(from, room.Told{To: to, Text: room.Sentence(text)})
}

// reopen ends the store as a crash would and opens what is left of it.
func (h *house) reopen() {
	h.Helper()
	left := newPath(h)
	h.Crash(h, left)
	h.Store = openStore(h, left)
}

// told writes events as "nick: text".
func told(events []*room.Event) []string {
	lines := []string{}
	for _, e := range events {
		switch b := e.Body.(type) {
		case room.Said:
			lines = append(lines, fmt.Sprintf("%s: %s", e.From.Nick, b.Text))
		case room.Emoted:
			lines = append(lines, fmt.Sprintf("* %s %s", e.From.Nick, b.Text))
		case room.Told:
			lines = append(lines, fmt.Sprintf("%s → %s: %s", e.From.Nick, b.To.Nick, b.Text))
		default:
			lines = append(lines, fmt.Sprintf("%T", b))
		}
	}
	return lines
}

// want compares what was read with what should have been.
func (h *house) want(doing string, events []*room.Event, err error, lines ...string) {
	h.Helper()
	if err != nil {
		h.Errorf("%s = %v, want no error", doing, err)
		return
	}
	if got := told(events); !slices.Equal(got, lines) {
		h.Errorf("%s = %q, want %q", doing, got, lines)
	}
}

func (h *house) lines(doing string, q room.LineQuery, lines ...string) {
	h.Helper()
	if q.Room == "" {
		q.Room = room.Lobby
	}
	if q.N == 0 {
		q.N = 100
	}
	events, err := h.Lines(h.Context(), q)
	h.want(doing, events, err, lines...)
}

func (h *house) finds(q room.SearchQuery, lines ...string) {
	h.Helper()
	if q.Room == "" {
		q.Room = room.Lobby
	}
	if q.N == 0 {
		q.N = 100
	}
	events, err := h.Search(h.Context(), q)
	h.want(fmt.Sprintf("Search(%+v)", q), events, err, lines...)
}

func TestLinesAreAsEverybodySawThem(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	lee := room.Person{ID: "conn:lee", Nick: "lee"}
	first := h.say(kim, "one")
	h.say(lee, "from outside")
	h.post(kim, room.Renamed{To: "park", Names: names("park")})
	second := h.say(kim, "two, written as kim")
	h.post(kim, room.Emoted{Text: room.Sentence("waves")})
	h.tell(kim, kim, "to myself")
	if _, err := h.Append(t.Context(), room.Record{ID: room.NewID(), Subject: room.Lobby, Kind: "said", Data: []byte("damaged")},
		room.Record{ID: room.NewID(), Subject: room.Lobby, Kind: "of a newer program", Data: []byte("{}")}); err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	third := h.say(kim, "three")
	h.post(kim, room.Parted{Screen: "screen of kim", Why: room.EndingLeft})
	h.say(kim, "after leaving")

	all := []string{"kim: one", "park: two, written as kim", "* park waves", "park: three"}
	for range 2 {
		h.lines("all lines", room.LineQuery{}, all...)
		h.lines("the oldest two", room.LineQuery{N: 2}, all[:2]...)
		h.lines("from the second on", room.LineQuery{From: second}, all[1:]...)
		h.lines("before the last", room.LineQuery{From: first + 1, Before: third}, all[1:3]...)
		h.lines("of an empty room", room.LineQuery{Room: "room/none"})
		if from, n, err := h.Back(t.Context(), room.LineQuery{Room: room.Lobby, N: 3}); from != second || n != 3 || err != nil {
			t.Errorf("Back 3 = %d, %d, %v; want %d, 3, nil", from, n, err, second)
		}
		if from, n, err := h.Back(t.Context(), room.LineQuery{Room: room.Lobby, Before: second, N: 3}); from != first || n != 1 || err != nil {
			t.Errorf("Back 3 before the second = %d, %d, %v; want %d, 1, nil", from, n, err, first)
		}
		if from, n, err := h.Back(t.Context(), room.LineQuery{Room: "room/none", N: 3}); from != 0 || n != 0 || err != nil {
			t.Errorf("Back in an empty room = %d, %d, %v; want 0, 0, nil", from, n, err)
		}
		h.reopen()
	}
}

func TestLinesUntilATime(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	var at []time.Time
	for i := range 40 {
		h.say(kim, fmt.Sprint(i))
		events, err := h.Lines(t.Context(), room.LineQuery{Room: room.Lobby, N: 100})
		if err != nil {
			t.Fatalf("Lines = %v, want no error", err)
		}
		at = append(at, events[i].At)
	}
	for i, until := range at {
		before := 0
		for _, other := range at {
			if other.Before(until) {
				before++
			}
		}
		if _, n, err := h.Back(t.Context(), room.LineQuery{Room: room.Lobby, Until: until, N: 100}); n != before || err != nil {
			t.Errorf("Back until the time of line %d = %d lines, %v; want %d, nil", i, n, err, before)
		}
		events, err := h.Search(t.Context(), room.SearchQuery{Author: "case:kim", Room: room.Lobby, Since: until, N: 100})
		if len(events) != len(at)-before || err != nil {
			t.Errorf("Search since the time of line %d = %d lines, %v; want %d, nil", i, len(events), err, len(at)-before)
		}
	}
	h.lines("until long ago", room.LineQuery{Until: at[0].Add(-time.Hour)})
	if _, n, err := h.Back(t.Context(), room.LineQuery{Room: room.Lobby, Until: at[39].Add(time.Hour), N: 100}); n != 40 || err != nil {
		t.Errorf("Back until tomorrow = %d lines, %v; want 40, nil", n, err)
	}
}

func TestSearch(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", ""), h.come("lee", "SHA256:lee")
	h.say(kim, "안녕하세요 여러분")
	h.say(lee, "고양이가 귀여워요")
	h.say(kim, "Deadlock im Café")
	h.say(room.Person{ID: "conn:ghost", Nick: "ghost"}, "고양이 of somebody who is not here")
	h.tell(kim, lee, "고양이 비밀")
	h.post(kim, room.Renamed{To: "kim lee", Names: names("kim lee")})
	latest := h.say(kim, "뷁 고양")
	h.post(lee, room.Emoted{Text: room.Sentence("deadlocks")})

	cat, cat2 := "lee: 고양이가 귀여워요", "kim lee: 뷁 고양"
	for range 2 {
		h.finds(room.SearchQuery{Words: "고양"}, cat2, cat)
		h.finds(room.SearchQuery{Words: "고"}, cat2, cat)
		h.finds(room.SearchQuery{Words: "양"}, cat2, cat)
		h.finds(room.SearchQuery{Words: "뷁"}, cat2)
		h.finds(room.SearchQuery{Words: "양이가"}, cat)
		h.finds(room.SearchQuery{Words: "이고"})
		h.finds(room.SearchQuery{Words: "요 고양"}, cat)
		h.finds(room.SearchQuery{Words: "DEADLOCK"}, "* lee deadlocks", "kim: Deadlock im Café")
		h.finds(room.SearchQuery{Words: "dead café"}, "kim: Deadlock im Café")
		h.finds(room.SearchQuery{Words: "cafe\u0301"}, "kim: Deadlock im Café")
		h.finds(room.SearchQuery{Words: "lock"})
		h.finds(room.SearchQuery{Words: "비밀"})
		h.finds(room.SearchQuery{Words: "고양", N: 1}, cat2)
		h.finds(room.SearchQuery{Words: "고양", Before: latest}, cat)
		h.finds(room.SearchQuery{Words: "고양", Room: "room/other"})
		h.finds(room.SearchQuery{Words: "고양", Author: "case:lee"}, cat)
		h.finds(room.SearchQuery{Words: "고양", Author: "case:kim lee"}, cat2)
		h.finds(room.SearchQuery{Words: "고양", Author: "case:kim"})
		h.finds(room.SearchQuery{Author: "case:lee"}, "* lee deadlocks", cat)
		h.finds(room.SearchQuery{Words: "고양", Author: "case:nobody"})
		h.finds(room.SearchQuery{Words: "고양", Since: time.Now().Add(time.Hour)})
		for _, nothing := range []string{"", " ", "?!", "😀", "\x00"} {
			if _, err := h.Search(t.Context(), room.SearchQuery{Words: nothing, Room: room.Lobby, N: 1}); !errors.Is(err, room.ErrNoWords) {
				t.Errorf("Search(%q) = %v, want %v", nothing, err, room.ErrNoWords)
			}
		}
		h.reopen()
	}
}

// The same words find the same lines in another order of asking, and take a thousand times as long.
func TestSearchAsksTheIndexFirst(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	for i := range 200 { // so that the planner has a choice
		h.say(kim, fmt.Sprint("word ", i))
	}
	plan := h.SearchPlan(t)
	if len(plan) != 2 || !strings.HasPrefix(plan[0], "SCAN words VIRTUAL TABLE") ||
		!strings.HasPrefix(plan[1], "SEARCH log USING INTEGER PRIMARY KEY") {
		t.Errorf("the plan of a search is %q, want the index of words, then the log by its places, and no sorting", plan)
	}
}

func TestSearchTakesWhateverIsTyped(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	text := strings.Repeat("가나다라마바사 ", 150) + strings.Repeat("word ", 100)
	h.say(kim, text)
	h.say(kim, "short")
	for _, words := range []string{
		text, strings.Repeat("가", 1300), strings.Repeat("a", 4096), strings.Repeat("a ", 2048), strings.Repeat("가 ", 1000),
		`"`, `" OR "`, `body:x`, `NEAR(가 나)`, `a* ^b`, `-a`, `가"나`, `{}`, "a\x00b", "\xff",
	} {
		events, err := h.Search(t.Context(), room.SearchQuery{Words: words, Room: room.Lobby, N: 10})
		if err != nil && !errors.Is(err, room.ErrNoWords) && !errors.Is(err, room.ErrManyWords) {
			t.Errorf("Search(%.40q, %d bytes) = %v, want no error", words, len(words), err)
		}
		if words == text && (len(events) != 1 || err != nil) {
			t.Errorf("Search for a whole line found %q, want that line", told(events))
		}
	}
}

func TestDirectMessages(t *testing.T) {
	h := newHouse(t)
	kim, lee, guest := h.come("kim", "SHA256:kim"), h.come("lee", "SHA256:lee"), h.come("guest", "")
	h.post(lee, room.Registered{Names: names("lee")})
	first := h.tell(kim, lee, "one")
	h.post(lee, room.Parted{Screen: "screen of lee"})
	h.tell(guest, lee, "two")
	last := h.tell(kim, lee, "three")
	h.tell(kim, guest, "other")
	h.tell(lee, guest, "from outside")

	for range 2 {
		events, err := h.Told(t.Context(), lee.ID, 0, last, 10)
		h.want("Told", events, err, "kim → lee: one", "guest → lee: two", "kim → lee: three")
		events, err = h.Told(t.Context(), lee.ID, first, last-1, 10)
		h.want("Told between", events, err, "guest → lee: two")
		events, err = h.Told(t.Context(), lee.ID, 0, last, 1)
		h.want("the oldest of Told", events, err, "kim → lee: one")
		events, err = h.Told(t.Context(), kim.ID, 0, ^room.Seq(0), 10)
		h.want("Told to the author", events, err)
		if sender, all, err := h.Kept(t.Context(), kim.ID, lee.ID, 0); sender != 2 || all != 3 || err != nil {
			t.Errorf("Kept = %d, %d, %v; want 2, 3, nil", sender, all, err)
		}
		if sender, all, err := h.Kept(t.Context(), guest.ID, lee.ID, first); sender != 1 || all != 2 || err != nil {
			t.Errorf("Kept after the first = %d, %d, %v; want 1, 2, nil", sender, all, err)
		}
		h.reopen()
	}
}

func TestAccountsOutliveTheProcess(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", "SHA256:kim"), h.come("lee", "SHA256:lee")
	h.post(kim, room.Registered{Names: names("kim")})
	h.post(kim, room.Registered{Names: names("kim")}) // void: they have one
	h.post(kim, room.KeyAdded{Key: "SHA256:second"})
	h.post(kim, room.KeyAdded{Key: "SHA256:third"})
	h.post(kim, room.KeyRemoved{Key: "SHA256:kim"})
	kim.Key = "SHA256:second"
	h.post(kim, room.KeyRemoved{Key: "SHA256:third"})
	h.post(kim, room.KeyAdded{Key: "SHA256:third"})
	h.post(kim, room.Configured{Name: "lang", Value: "en"})
	h.post(kim, room.Configured{Name: "lang", Value: "ko"})
	h.post(kim, room.Configured{Name: "bell", Value: "off"})
	h.post(kim, room.Configured{Name: "theme", Value: "dark"})
	h.post(kim, room.Configured{Name: "theme"})             // it is no setting any more
	h.post(kim, room.Configured{Name: "notify"})            // and this never was
	h.post(lee, room.Configured{Name: "lang", Value: "ko"}) // void: they have none
	h.post(lee, room.Registered{Names: names("lee")})
	until := time.Now().Add(24 * time.Hour)
	end := h.post(lee, room.Erased{Until: until})

	for range 2 {
		s, err := h.Snapshot(t.Context())
		if err != nil {
			t.Fatalf("Snapshot = %v, want no error", err)
		}
		if s.At.Seq != end || s.At.Epoch == "" {
			t.Errorf("Snapshot is as of %+v, want place %d", s.At, end)
		}
		if len(s.Accounts) != 1 {
			t.Fatalf("Snapshot has %d accounts, want 1", len(s.Accounts))
		}
		a := s.Accounts[0]
		if a.ID != kim.ID || a.Nick != "kim" || !slices.Equal(a.Names, names("kim")) ||
			!slices.Equal(a.Keys, []string{"SHA256:second", "SHA256:third"}) || time.Since(a.Since) > time.Hour ||
			len(a.Settings) != 2 || a.Settings["lang"] != "ko" || a.Settings["bell"] != "off" {
			t.Errorf("Snapshot has the account %+v, want that of kim, with two keys and two settings", a)
		}
		held := map[string]time.Time{}
		for _, name := range s.Held {
			held[name.Name] = name.Until
		}
		if len(held) != 2 || !held["case:lee"].Equal(until) || !held["skel:lee"].Equal(until) {
			t.Errorf("Snapshot holds %v, want the names of lee until %v", held, until)
		}
		h.reopen()
	}
	// The rules know it, too: nobody else can come as kim, or as lee before the time.
	for _, nick := range []room.Nick{"kim", "lee"} {
		other := h.come(nick, "SHA256:other")
		h.say(other, "it is me")
	}
	h.post(kim, room.Joined{Screen: "s", Names: names("kim")})
	h.say(kim, "it is really me")
	h.lines("what was said after the crash", room.LineQuery{}, "kim: it is really me")
}

func TestPlaces(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "SHA256:kim")
	h.post(kim, room.Registered{Names: names("kim")})
	want := []room.Place{
		{Account: kim.ID, Of: room.Lobby, Seen: 2, Sent: 2, Open: true},
		{Account: kim.ID, Of: "person/" + room.Subject(kim.ID), Seen: 1, Sent: 3},
	}
	saved := append(slices.Clone(want), room.Place{Account: "nobody", Of: room.Lobby, Seen: 1, Sent: 1})
	saved[0].Seen = 1
	for _, places := range [][]room.Place{saved, want} {
		if err := h.SavePlaces(t.Context(), places); err != nil {
			t.Fatalf("SavePlaces = %v, want no error", err)
		}
	}
	for range 2 {
		got, err := h.Places(t.Context(), kim.ID)
		slices.SortFunc(got, func(a, b room.Place) int { return int(b.Seen) - int(a.Seen) })
		if !slices.Equal(got, want) || err != nil {
			t.Errorf("Places = %+v, %v; want %+v, nil", got, err, want)
		}
		if got, err := h.Places(t.Context(), "nobody"); len(got) > 0 || err != nil {
			t.Errorf("Places of nobody = %+v, %v; want none, nil", got, err)
		}
		h.say(kim, "perhaps it was sent")
		head, err := h.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want[0].Open { // when the process ended
			want[0].Sent, want[0].Open = head.Seq, false
		}
		h.reopen()
	}
}

func TestErasedAccountIsForgotten(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kimchi", "SHA256:fingerprint-of-kim"), h.come("lee", "SHA256:lee")
	h.say(kim, "before the account")
	h.post(kim, room.Registered{Names: names("kimchi")})
	h.post(kim, room.Configured{Name: "lang", Value: strings.Repeat("a setting of kimchi ", 20_000)})
	for range 450 { // more than are forgotten at once
		h.say(kim, "안녕")
	}
	h.say(lee, "안녕 too")
	h.tell(lee, kim, "a letter to kimchi "+strings.Repeat("long ", 1400))
	h.tell(kim, lee, "a letter from somebody")
	if err := h.SavePlaces(t.Context(), []room.Place{{Account: kim.ID, Of: room.Lobby, Seen: 7, Sent: 9}}); err != nil {
		t.Fatalf("SavePlaces = %v, want no error", err)
	}
	before, err := h.Holdings(t.Context(), kim.ID)
	if before.Lines != 451 || before.Sent != 1 || before.Received != 1 || before.Bytes < 451*50+7000 || err != nil {
		t.Errorf("Holdings = %+v, %v; want 451 lines, 1 sent, 1 received", before, err)
	}
	h.post(kim, room.Erased{Until: time.Now()})
	h.post(kim, room.Parted{Screen: "screen of kimchi"})
	h.say(h.come(kim.Nick, kim.Key), "here again, as anybody")
	h.Forgotten(t)

	if after, err := h.Holdings(t.Context(), kim.ID); after.Lines != 1 || after.Sent != 0 || after.Received != 0 || err != nil {
		t.Errorf("Holdings = %+v, %v; want the one line since", after, err)
	}
	events, err := h.Lines(t.Context(), room.LineQuery{Room: room.Lobby, N: 1})
	h.want("the first line", events, err, "—: before the account")
	h.finds(room.SearchQuery{Words: "안녕", N: 2}, "lee: 안녕 too", "—: 안녕")
	h.finds(room.SearchQuery{Author: "case:kimchi"}, "kimchi: here again, as anybody")
	events, err = h.Told(t.Context(), kim.ID, 0, ^room.Seq(0), 10)
	h.want("Told to the erased", events, err)
	events, err = h.Told(t.Context(), lee.ID, 0, ^room.Seq(0), 10)
	h.want("Told by the erased", events, err, "— → lee: a letter from somebody")
	if places, err := h.Places(t.Context(), kim.ID); len(places) > 0 || err != nil {
		t.Errorf("Places = %v, %v; want none", places, err)
	}

	path := h.Path()
	if err := h.Close(); err != nil {
		t.Fatalf("Close = %v, want no error", err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read the database: %v", err)
	}
	if n := bytes.Count(file, []byte("SHA256:fingerprint-of-kim")); n > 4 { // in the one line since, its author and their indexes
		t.Errorf("the key is in the file %d times, want it in the line since only", n)
	}
	for _, gone := range []string{"a letter to kimchi", "long long", "a setting of kimchi"} {
		if bytes.Contains(file, []byte(gone)) {
			t.Errorf("%q is in the file still", gone)
		}
	}
}

func TestWhatNobodySawIsForgottenToo(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", "SHA256:fingerprint-of-kim"), h.come("lee", "SHA256:lee")
	h.post(kim, room.Registered{Names: names("kim")})
	h.post(kim, room.Parted{Screen: "screen of kim"})
	h.say(kim, "said from outside")
	h.tell(kim, lee, "told from outside")
	h.tell(room.Person{ID: "conn:ghost", Nick: "ghost"}, kim, "told by nobody")
	kim = h.come("kim", kim.Key)
	if got, err := h.Holdings(t.Context(), kim.ID); got.Lines+got.Sent+got.Received > 0 || err != nil {
		t.Errorf("Holdings = %+v, %v; want nothing that somebody saw", got, err)
	}
	h.post(kim, room.Erased{Until: time.Now()})
	h.Forgotten(t)
	gone := []string{"fingerprint-of-kim", "said from outside", "told from outside", "told by nobody"}
	wantFile(t, h.Path()+"-wal", nil, gone)
	path := h.closed()
	wantFile(t, path, nil, gone)
	if r, err := sqlitestore.Check(t.Context(), path, sqlitestore.Options{}); err != nil || len(r.Faults) > 0 {
		t.Errorf("Check afterwards = %+v, %v; want no fault", r, err)
	}
}

func TestARetryBeforeAnExpectationKeepsItsPlace(t *testing.T) {
	h := newHouse(t)
	first := room.Record{ID: room.NewID(), Subject: "account/kim", Kind: "first"}
	held, err := h.Append(t.Context(), first)
	if err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	second := room.Record{ID: room.NewID(), Subject: "account/kim", Kind: "second", Expect: &held[0]}
	if seqs, err := h.Append(t.Context(), first, second); err != nil || seqs[0] != held[0] || seqs[1] <= held[0] {
		t.Errorf("Append of a retry and of one that expects it = %v, %v; want %d and a place behind it", seqs, err, held[0])
	}
}

func TestALongSearchIsEnded(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	h.say(kim, "a word")
	release := h.HoldSearches(t) // for longer than anybody waits
	if _, err := h.Search(t.Context(), room.SearchQuery{Words: "word", Room: room.Lobby, N: 1}); !errors.Is(err, room.ErrSearchLong) {
		t.Errorf("Search = %v, want %v", err, room.ErrSearchLong)
	}
	release()
	h.finds(room.SearchQuery{Words: "word"}, "kim: a word")
}
