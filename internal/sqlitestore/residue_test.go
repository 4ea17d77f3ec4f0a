package sqlitestore_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// residue returns the numbers of the pages of a database on which something stands where nothing is kept: between the pointers and
// the cells of a page of a tree, in its free blocks, and on free pages (sqlite.org/fileformat2.html, sections 1.5 and 1.6).
func residue(tb testing.TB, path string) (pages []int) {
	tb.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	const size = 4096
	number := func(at int) int { return int(binary.BigEndian.Uint16(file[at:])) }
	filled := func(b []byte) bool { return slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) }
	for at := 0; at < len(file); at += size {
		head := at
		if at == 0 {
			head += 100
		}
		kind := file[head]
		if !slices.Contains([]byte{2, 5, 10, 13}, kind) { // overflowing text, or free
			continue
		}
		pointers := head + 8
		if kind < 10 {
			pointers += 4
		}
		content := number(head + 5)
		if content == 0 {
			content = 65536
		}
		bad := filled(file[pointers+2*number(head+3) : at+content])
		for block := number(head + 1); block != 0; block = number(at + block) {
			bad = bad || filled(file[at+block+4:at+block+number(at+block+2)])
		}
		if bad {
			pages = append(pages, at/size+1)
		}
	}
	return pages
}

// What is written into a copy stays where it is only until a page is split. What was there must not remain: nothing that erases
// reaches it.
func TestCopiesHoldNothingTwice(t *testing.T) {
	h := newHouse(t)
	kim, lee := h.come("kim", "SHA256:fingerprint-of-kim"), h.come("lee", "SHA256:fingerprint-of-lee")
	for _, p := range []room.Person{kim, lee} {
		h.post(p, room.Registered{Names: names(p.Nick)})
	}
	var recs []room.Record
	for i := range 3000 {
		from := []room.Person{kim, lee}[i%2]
		recs = append(recs, room.Encode(from, room.Lobby, room.Said{Text: room.Sentence(fmt.Sprintf("airship%d %d flies 안녕하세요", i, i*7919))}))
		if i%3 == 0 {
			recs = append(recs, room.Encode(lee, room.Lobby, room.Told{To: kim, Text: room.Sentence(fmt.Sprintf("zeppelin%d", i))}))
		}
	}
	if _, err := h.Append(t.Context(), recs...); err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	folder := t.TempDir()
	backup, restored, import2 := filepath.Join(folder, "backup"), filepath.Join(folder, "restored"), filepath.Join(folder, "imported")
	if _, err := sqlitestore.Backup(t.Context(), h.Path(), backup); err != nil {
		t.Fatalf("Backup = %v, want no error", err)
	}
	if _, err := sqlitestore.Restore(t.Context(), restored, backup); err != nil {
		t.Fatalf("Restore = %v, want no error", err)
	}
	imported(t, import2, exported(t, h.Path(), sqlitestore.ExportQuery{}))
	h.closed()
	for what, file := range map[string]string{"a backup": backup, "what was restored": restored, "what was imported": import2} {
		if pages := residue(t, file); len(pages) > 0 {
			t.Errorf("%s has something where nothing is on the pages %v", what, pages)
		}
	}

	again, _ := keeping(t, restored, sqlitestore.Keep{Lines: 10})
	again.post(again.come("kim", kim.Key), room.Erased{Until: time.Now()})
	again.Forgotten(t)
	again.LetGo(t)
	again.closed()
	wantFile(t, restored, []string{"fingerprint-of-lee"}, []string{"fingerprint-of-kim", "airship17 ", "zeppelin"})
	other, _ := keeping(t, import2, sqlitestore.Keep{Lines: 10})
	other.LetGo(t)
	other.closed()
	wantFile(t, import2, nil, []string{"airship17 ", "airship2000"})
}

// What a page that was split has left behind is found when an account is erased, and when the index is made compact.
func TestErasingReachesWhatSplitPagesLeft(t *testing.T) {
	h := newHouse(t)
	var people []room.Person
	for i := range 200 {
		p := h.come(room.Nick(fmt.Sprintf("kim%d", i*7919%200)), fmt.Sprintf("SHA256:fingerprint-of-kim%d.", i*7919%200))
		people = append(people, p)
		h.post(p, room.Registered{Names: names(p.Nick)})
	}
	for i, p := range people {
		h.tell(people[(i*31)%len(people)], p, "hello")
	}
	path := h.closed()
	if len(residue(t, path)) == 0 {
		t.Fatal("no page was split: this test shows nothing")
	}
	h.Store = openStore(t, path)
	for _, p := range people[:20] {
		h.come(p.Nick, p.Key)
		h.post(p, room.Erased{Until: time.Now()})
	}
	h.Forgotten(t)
	h.closed()
	pages := slices.DeleteFunc(residue(t, path), func(page int) bool { return page == 2 }) // how far it has come stands there
	if len(pages) > 0 {
		t.Errorf("something is where nothing is on the pages %v", pages)
	}
	var gone []string
	for _, p := range people[:20] {
		gone = append(gone, "fingerprint-of-"+string(p.Nick)+".")
	}
	wantFile(t, path, []string{"fingerprint-of-" + string(people[20].Nick) + "."}, gone)
}
