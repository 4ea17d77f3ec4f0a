package sqlitestore_test

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"testing"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// TestATornLogKeepsAPrefix tears the log beside the database as a power cut may: at every byte of its last 4 KiB it is cut off
// once, and once a byte is wrong. (The race detector, which has nothing to see here, makes it take minutes: then not at every one.)
func TestATornLogKeepsAPrefix(t *testing.T) {
	t.Parallel()
	const lines, tail = 4, 4096
	source := newPath(t)
	h := newHouse(t)
	kim := h.come("kim", "")
	var records []room.Record
	var ids []room.ID
	for i := range lines {
		r := room.Encode(kim, room.Lobby, room.Said{Text: room.Sentence(fmt.Sprint(i))})
		if _, err := h.Append(t.Context(), r); err != nil {
			t.Fatalf("Append = %v, want no error", err)
		}
		records, ids = append(records, r), append(ids, r.ID)
	}
	h.Crash(t, source)
	log, err := os.OpenFile(source+"-wal", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	info, err := log.Stat()
	if err != nil || info.Size() < 2*tail {
		t.Fatalf("the log has %d bytes, %v; want more than %d", info.Size(), err, 2*tail)
	}
	check := func(at int64, how string) {
		t.Helper()
		if kept := recovered(t, source); len(kept) < lines-1 || !slices.Equal(kept, ids[:len(kept)]) {
			t.Fatalf("a log %s byte %d keeps %d lines, want the first %d at least, in their order", how, at, len(kept), lines-1)
		}
		if at%wholeStart < stride {
			startTorn(t, source, at, records)
		}
	}
	b := make([]byte, 1)
	for at := info.Size() - 1; at >= info.Size()-tail; at -= stride {
		_, err := log.ReadAt(b, at)
		if err == nil {
			_, err = log.WriteAt([]byte{b[0] ^ 0x55}, at)
		}
		if err != nil {
			t.Fatal(err)
		}
		check(at, "with a wrong")
		if err := log.Truncate(at); err != nil {
			t.Fatal(err)
		}
		check(at, "cut off at")
	}
}

// wholeStart is the distance between the bytes at which the house itself is started: it takes a hundred times as long as SQLite
// alone, and what is kept is SQLite's doing.
const wholeStart = 96

// recovered returns the IDs of the records that SQLite finds.
func recovered(t *testing.T, path string) (ids []room.ID) {
	t.Helper()
	_ = os.Remove(path + "-shm") // what the one before found
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query(`SELECT id FROM log ORDER BY seq`)
	if err != nil {
		t.Fatalf("read the database: %v", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&id); err != nil {
			t.Fatalf("read the database: %v", err)
		}
		ids = append(ids, room.ID(id))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("read the database: %v", err)
	}
	return ids
}

// startTorn starts the house on a copy of what is left and checks it.
func startTorn(t *testing.T, source string, at int64, records []room.Record) {
	t.Helper()
	path := newPath(t)
	for _, suffix := range []string{"", "-wal"} {
		file, err := os.ReadFile(source + suffix)
		if err == nil {
			err = os.WriteFile(path+suffix, file, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := sqlitestore.Open(path, quiet)
	if err != nil {
		t.Fatalf("Open of a log torn at %d = %v, want no error", at, err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close of a log torn at %d = %v, want no error", at, err)
		}
	}()
	h := &house{t, s}
	check := func(least int) {
		t.Helper()
		events, err := h.Lines(t.Context(), room.LineQuery{Room: room.Lobby, N: 100})
		if err != nil || len(events) < least || len(events) > len(records) {
			t.Fatalf("a log torn at %d keeps %d lines, %v; want %d to %d", at, len(events), err, least, len(records))
		}
		for i, e := range events {
			if e.ID != records[i].ID {
				t.Fatalf("a log torn at %d has %v as line %d, want %d", at, told(events), i, i)
			}
		}
	}
	check(len(records) - 1)
	h.come("kim", "")
	if _, err := h.Append(t.Context(), records...); err != nil { // whoever was not told that it is saved tries again
		t.Fatalf("Append after a log torn at %d = %v, want no error", at, err)
	}
	check(len(records))
}
