package sqlitestore_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// keeping opens a database with what is to be kept, and waits until the rest went. What it logs is in the buffer once it is closed.
func keeping(tb testing.TB, path string, keep sqlitestore.Keep) (*house, *bytes.Buffer) {
	tb.Helper()
	log := new(bytes.Buffer)
	s, err := sqlitestore.Open(path, sqlitestore.Options{Keep: keep, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		tb.Fatalf("Open = %v, want no error", err)
	}
	tb.Cleanup(func() { _ = s.Close() }) // it may be closed by then
	s.LetGo(tb)
	return &house{tb, s}, log
}

// old makes a database in which an account's owner and a guest have said and told much, the first half of it two days ago.
func old(tb testing.TB, lines int) (path string) {
	tb.Helper()
	h := newHouse(tb)
	kim, guest := h.come("kim", "SHA256:kim"), h.come("guest", "")
	h.say(h.come("oldtimer", "SHA256:oldtimer"), "안녕")
	h.post(kim, room.Registered{Names: names("kim")})
	h.post(kim, room.Configured{Name: "lang", Value: "ko"})
	var middle room.Seq
	for half, word := range []string{"xylophone", "trumpet"} {
		var recs []room.Record
		for i := range lines {
			from := []room.Person{kim, guest}[i%2]
			recs = append(recs, room.Encode(from, room.Lobby, room.Said{Text: room.Sentence(fmt.Sprintf("%s%d 안녕", word, i))}))
		}
		recs = append(recs,
			room.Encode(room.Person{ID: "conn:x", Nick: "x"}, room.Lobby, room.Said{Text: room.Sentence(word + " from outside")}),
			room.Encode(kim, room.Lobby, room.Told{To: kim, Text: room.Sentence(word + " to the owner")}),
			room.Encode(kim, room.Lobby, room.Told{To: guest, Text: room.Sentence(word + " to a guest")}))
		seqs, err := h.Append(tb.Context(), recs...)
		if err != nil {
			tb.Fatalf("Append = %v, want no error", err)
		}
		if half == 0 {
			middle = seqs[len(seqs)-1]
		}
	}
	path = h.closed()
	execute(tb, path, fmt.Sprintf(`UPDATE log SET at = at - %d WHERE seq <= %d`, 48*time.Hour, middle),
		fmt.Sprintf(`UPDATE accounts SET since = since - %d`, 48*time.Hour))
	return path
}

// wantFile says what must be in a file, and what must not, in any case.
func wantFile(tb testing.TB, path string, kept, gone []string) {
	tb.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("read the database: %v", err)
	}
	file = bytes.ToLower(file)
	for _, text := range kept {
		if !bytes.Contains(file, []byte(text)) {
			tb.Errorf("%q is not in the file any more", text)
		}
	}
	for _, text := range gone {
		if bytes.Contains(file, []byte(text)) {
			tb.Errorf("%q is in the file still", text)
		}
	}
}

func TestOldLinesGo(t *testing.T) {
	const lines = 120 // more than go at once
	for what, tt := range map[string]struct {
		keep       sqlitestore.Keep
		left, told int // of each word, of direct messages to the owner
		log        string
		kept, gone []string
	}{
		"nothing": {sqlitestore.Keep{}, 2*lines + 1, 2, "", []string{"xylo", "trump", "lophone to the owner"}, []string{"lophone to a guest"}},
		"by days": {
			sqlitestore.Keep{Days: 1},
			lines, 1, `msg="old lines removed" lines=122 direct=2 newest=`,
			[]string{"trump"},
			[]string{"lophone", "oldtimer"},
		},
		"by number": {
			sqlitestore.Keep{Lines: 50},
			48, 1, `msg="old lines removed" lines=194 direct=2 newest=`,
			[]string{"trumpet119"},
			[]string{"lophone", "oldtimer", "trumpet70"},
		},
		"by both": {
			sqlitestore.Keep{Days: 1, Lines: 200},
			lines, 1, `msg="old lines removed" lines=122 direct=2 newest=`,
			[]string{"trump"},
			[]string{"lophone", "oldtimer"},
		},
	} {
		path := old(t, lines)
		r, err := sqlitestore.Check(t.Context(), path, sqlitestore.Options{Keep: tt.keep})
		if err != nil || len(r.Faults) > 0 || r.Lines+r.Told-r.Aging != tt.left+tt.told+1 && tt.keep != (sqlitestore.Keep{}) {
			t.Errorf("%s: Check = %+v, %v; want %d lines to be left", what, r, err, tt.left+tt.told+1)
		}
		h, log := keeping(t, path, tt.keep)
		_, n, err := h.Back(t.Context(), room.LineQuery{Room: room.Lobby, N: 10 * lines})
		if n != tt.left || err != nil {
			t.Errorf("%s: %d lines are left, %v; want %d", what, n, err, tt.left)
		}
		found, err := h.Search(t.Context(), room.SearchQuery{Words: "안녕", Room: room.Lobby, N: 10 * lines})
		if len(found) != tt.left || err != nil {
			t.Errorf("%s: %d lines are found, %v; want %d", what, len(found), err, tt.left)
		}
		letters, err := h.Told(t.Context(), "key:SHA256:kim/case:kim", 0, ^room.Seq(0), 10)
		if len(letters) != tt.told || err != nil {
			t.Errorf("%s: %d direct messages are left, %v; want %d", what, len(letters), err, tt.told)
		}
		if s, err := h.Snapshot(t.Context()); err != nil || len(s.Accounts) != 1 || s.Accounts[0].Settings["lang"] != "ko" {
			t.Errorf("%s: Snapshot = %+v, %v; want the account as it was", what, s, err)
		}
		h.lines("after that", room.LineQuery{From: h.say(h.come("new", ""), "and on")}, "new: and on")
		h.LetGo(t)
		h.closed()
		if got := strings.Count(log.String(), "old lines removed"); tt.log == "" && got > 0 || !strings.Contains(log.String(), tt.log) {
			t.Errorf("%s: the log is %s, want %q", what, log, tt.log)
		}
		wantFile(t, path, tt.kept, tt.gone)
		if r, err := sqlitestore.Check(t.Context(), path, sqlitestore.Options{Keep: tt.keep}); err != nil || len(r.Faults) > 0 {
			t.Errorf("%s: Check afterwards = %+v, %v; want no fault", what, r, err)
		}
	}
}

func TestDirectMessagesToGuestsAreEmptiedAfterADay(t *testing.T) {
	path := old(t, 0)
	h, log := keeping(t, path, sqlitestore.Keep{})
	events, err := h.Told(t.Context(), "conn:guest", 0, ^room.Seq(0), 10)
	h.want("Told to the guest", events, err, "kim → guest: trumpet to a guest")
	events, err = h.Told(t.Context(), "key:SHA256:kim/case:kim", 0, ^room.Seq(0), 10)
	h.want("Told to the owner", events, err, "kim → kim: xylophone to the owner", "kim → kim: trumpet to the owner")
	h.closed()
	wantFile(t, path, []string{"xylophone to the owner", "trumpet to a guest"}, []string{"xylophone to a guest"})
	if !strings.Contains(log.String(), `msg="direct messages to guests emptied" direct=1`) {
		t.Errorf("the log is %s, want it told", log)
	}
	want := dump(t, path)
	rebuild(t, path)
	wantSame(t, "what was rebuilt", dump(t, path), want)
}

// Places go on behind what went, though nothing is left of it.
func TestPlacesOfOldLinesAreNotUsedAgain(t *testing.T) {
	path := old(t, 10)
	h, _ := keeping(t, path, sqlitestore.Keep{Lines: 1})
	head, err := h.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.closed()
	execute(t, path, `DELETE FROM log`)
	h, _ = keeping(t, path, sqlitestore.Keep{Lines: 1})
	if seq := h.say(h.come("new", ""), "first of all"); seq <= head.Seq {
		t.Errorf("a line has place %d, want one behind %d", seq, head.Seq)
	}
}

func TestWhatIsOldGoesWhilePeopleTalk(t *testing.T) {
	path := old(t, 200)
	s, err := sqlitestore.Open(path, sqlitestore.Options{Keep: sqlitestore.Keep{Lines: 50}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	h := &house{t, s}
	kim := h.come("talker", "")
	for i := range 100 {
		h.say(kim, fmt.Sprintf("line %d", i))
	}
	h.LetGo(t)
	want := make([]string, 50)
	for i := range want {
		want[i] = fmt.Sprintf("talker: line %d", 50+i)
	}
	h.lines("the newest", room.LineQuery{}, want...)
	h.closed()
}

// Somebody who reads, such as a backup, keeps the log beside the database from being emptied. What was removed must not stay in it.
func TestWhatWasRemovedLeavesTheLogBesideOnceNobodyReadsIt(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "SHA256:fingerprint-of-kim")
	h.post(kim, room.Registered{Names: names("kim")})
	h.say(kim, "hello")
	sqlite(t, h.Path(), func(conn *sql.Conn) error {
		if _, err := conn.ExecContext(t.Context(), `BEGIN`); err != nil {
			return err
		}
		if _, err := selected(conn, `SELECT * FROM log`); err != nil {
			return err
		}
		h.post(kim, room.Erased{Until: time.Now()})
		h.Forgotten(t)
		wantFile(t, h.Path()+"-wal", []string{"fingerprint-of-kim"}, nil) // or this test shows nothing
		_, err := conn.ExecContext(t.Context(), `ROLLBACK`)
		return err
	})
	h.LetGo(t)
	wantFile(t, h.Path()+"-wal", nil, []string{"fingerprint-of-kim"})
	wantFile(t, h.Path(), nil, []string{"fingerprint-of-kim"})
	h.closed()
}

// The index is made compact at most once a day. A house that is ended before then does it after its next start.
func TestWordsOfOldLinesDoNotOutliveARestart(t *testing.T) {
	path := newPath(t)
	h, _ := keeping(t, path, sqlitestore.Keep{Lines: 3})
	kim := h.come("kim", "")
	for i := range 10 {
		h.say(kim, fmt.Sprintf("zeppelin%d", i))
	}
	h.LetGo(t) // makes it compact
	for i := range 10 {
		h.say(kim, fmt.Sprintf("airship%d", i))
	}
	h.LetGo(t) // does not
	h.closed()
	wantFile(t, path, []string{"airship9", "airship2"}, nil) // or this test shows nothing
	h, _ = keeping(t, path, sqlitestore.Keep{})
	h.LetGo(t)
	h.closed()
	wantFile(t, path, []string{"airship9"}, []string{"zeppelin", "airship2"})
	if rows := dump(t, path); slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(row, "stale words") }) {
		t.Error("the index counts as stale still")
	}
}
