package sqlitestore_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// These figures are ratios of one run, side by side: absolute times on a shared machine are weather.

// chatter is lines as people write them: two in three Korean, about a hundred bytes with their frame.
var chatter = []string{
	"오늘 저녁에 시간 되시는 분 계세요?", "네 저는 괜찮아요, 일곱 시쯤 어떠세요", "let's meet at the station then",
	"좋습니다 그때 봬요", "혹시 비 오면 어떡하죠 ㅋㅋ", "deploying the new build now, please hold on",
}

// BenchmarkSenders: 200 people who each wait for their line before they send the next, committed together and one by one.
func BenchmarkSenders(b *testing.B) {
	const senders, each = 200, 50
	together := func(batch int) time.Duration {
		opt := quiet
		opt.BatchLines = batch
		s, err := sqlitestore.Open(newPath(b), opt)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		h := &house{b, s}
		var lines [senders][each]room.Record
		for i := range lines {
			from := h.come(room.Nick(fmt.Sprintf("kim%d", i)), fmt.Sprintf("SHA256:%043d", i))
			for n := range lines[i] {
				lines[i][n] = room.Encode(from, room.Lobby, room.Said{Text: room.Sentence(fmt.Sprintf("%s %d", chatter[(i+n)%len(chatter)], n))})
			}
		}
		begun := time.Now()
		var wg sync.WaitGroup
		for _, mine := range lines {
			wg.Go(func() {
				for _, r := range mine {
					if _, err := s.Append(context.Background(), r); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		return time.Since(begun)
	}
	var batched, single time.Duration
	lines := 0
	for b.Loop() {
		batched += together(512)
		single += together(1)
		lines += senders * each
	}
	b.ReportMetric(float64(lines)/batched.Seconds(), "lines/s")
	b.ReportMetric(float64(lines)/single.Seconds(), "one-by-one/s")
	b.ReportMetric(float64(single)/float64(batched), "ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLatency: one line that nobody else waits with, against writing a page and fsync, in turn on the same disk.
func BenchmarkLatency(b *testing.B) {
	s := openStore(b, newPath(b))
	h := &house{b, s}
	kim := h.come("kim", "SHA256:kim")
	f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	page := make([]byte, 4096)
	_, _ = rand.Read(page)
	var commits, bare []time.Duration
	for b.Loop() {
		begun := time.Now()
		h.say(kim, chatter[len(commits)%len(chatter)])
		commits = append(commits, time.Since(begun))
		begun = time.Now()
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		bare = append(bare, time.Since(begun))
	}
	slices.Sort(commits)
	slices.Sort(bare)
	for _, p := range []int{50, 99} {
		c, w := commits[(len(commits)-1)*p/100], bare[(len(bare)-1)*p/100]
		b.ReportMetric(float64(c.Microseconds()), fmt.Sprintf("p%d-µs", p))
		b.ReportMetric(float64(w.Microseconds()), fmt.Sprintf("bare-p%d-µs", p))
		b.ReportMetric(float64(c)/float64(w), fmt.Sprintf("p%d-ratio", p))
	}
	b.ReportMetric(0, "ns/op")
}

var many = flag.Int("lines", 20_000, "how many lines the long history of BenchmarkHistory has; 1000000 take minutes to make")

const (
	rare    = "뷁쀍" // two syllables that nobody says by chance
	rareOne = "뷁쀍이란 무엇인가"
)

// sentence makes a line of about a hundred bytes, two in three Korean, in which words come as often as words do.
func sentence(r *mathrand.Rand) string {
	var b strings.Builder
	korean := r.IntN(3) < 2
	for b.Len() < 40+r.IntN(80) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		word := int(800 * r.Float64() * r.Float64() * r.Float64())
		if !korean {
			fmt.Fprintf(&b, "%c%c%s", 'a'+word%26, 'a'+word/26%26, []string{"tion", "ing", "er", "the", "lock"}[word%5])
			continue
		}
		for i := range 2 + word%3 {
			b.WriteRune(rune(0xAC00 + (word*31+i*577)%11172))
		}
	}
	return b.String()
}

// longHistory makes a database with so many lines, the way they always come in, but in large batches and without waiting for the
// disk.
func longHistory(b *testing.B, path string, lines int) {
	b.Helper()
	s, err := sqlitestore.Open(path, quiet)
	if err != nil {
		b.Fatal(err)
	}
	s.Hurry()
	h := &house{b, s}
	people := make([]room.Person, 50)
	for i := range people {
		people[i] = h.come(room.Nick(fmt.Sprintf("kim%d", i)), fmt.Sprintf("SHA256:%043d", i))
	}
	r := mathrand.New(mathrand.NewPCG(1, 2))
	for done := 0; done < lines; {
		batch := make([]room.Record, min(2000, lines-done))
		for i := range batch {
			text := sentence(r)
			if (done+i)%(lines/5) == lines/10 {
				text = rareOne
			}
			batch[i] = room.Encode(people[r.IntN(len(people))], room.Lobby, room.Said{Text: room.Sentence(text)})
		}
		if _, err := s.Append(context.Background(), batch...); err != nil {
			b.Fatal(err)
		}
		done += len(batch)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// median runs do some times and returns how long it usually takes.
func median(times int, do func()) time.Duration {
	took := make([]time.Duration, times)
	for i := range took {
		begun := time.Now()
		do()
		took[i] = time.Since(begun)
	}
	slices.Sort(took)
	return took[times/2]
}

// BenchmarkHistory: what reading and starting costs in a long history, against a short one and against reading all of it.
//
//	go test ./internal/sqlitestore -run '^$' -bench History -benchtime 1x -lines 1000000
func BenchmarkHistory(b *testing.B) {
	folder := b.TempDir()
	file := func(lines int) string { return filepath.Join(folder, fmt.Sprintf("%d.db", lines)) }
	begun := time.Now()
	longHistory(b, file(*many), *many)
	b.Logf("%d lines made in %v", *many, time.Since(begun).Round(time.Second))
	for _, path := range []string{file(*many), file(*many) + "-wal"} {
		if info, err := os.Stat(path); err == nil {
			b.Logf("%s: %d bytes a line", filepath.Base(path), info.Size()/int64(*many))
		}
	}
	const few = 10_000
	longHistory(b, file(few), few)
	furnished(b, file(0))

	starts := func(lines int) time.Duration {
		return median(21, func() {
			s, err := sqlitestore.Open(file(lines), quiet)
			if err != nil {
				b.Fatal(err)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			long, short := starts(*many), starts(0)
			b.ReportMetric(float64(long.Microseconds()), "µs")
			b.ReportMetric(float64(short.Microseconds()), "empty-µs")
			b.ReportMetric(float64(long)/float64(short), "ratio")
		}
		b.ReportMetric(0, "ns/op")
	})

	long, short := &house{b, openStore(b, file(*many))}, &house{b, openStore(b, file(few))}
	last := func(h *house) time.Duration {
		return median(501, func() {
			from, _, err := h.Back(context.Background(), room.LineQuery{Room: room.Lobby, N: 50})
			if err != nil {
				b.Fatal(err)
			}
			events, err := h.Lines(context.Background(), room.LineQuery{Room: room.Lobby, From: from, N: 50})
			if len(events) != 50 || err != nil {
				b.Fatalf("the last 50 lines are %d, %v", len(events), err)
			}
		})
	}
	b.Run("last 50", func(b *testing.B) {
		for b.Loop() {
			l, s := last(long), last(short)
			b.ReportMetric(float64(l.Microseconds()), "µs")
			b.ReportMetric(float64(s.Microseconds()), "short-µs")
			b.ReportMetric(float64(l)/float64(s), "ratio")
		}
		b.ReportMetric(0, "ns/op")
	})
	b.Run("rare word", func(b *testing.B) {
		db, err := sql.Open("sqlite", "file:"+file(*many)+"?mode=ro")
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		for b.Loop() {
			found := median(101, func() {
				events, err := long.Search(context.Background(), room.SearchQuery{Words: rare, Room: room.Lobby, N: 20})
				if len(events) != 5 || err != nil {
					b.Fatalf("Search found %d lines, %v; want 5", len(events), err)
				}
			})
			scan := median(3, func() {
				var n int
				query := `SELECT count(*) FROM (SELECT seq FROM log WHERE subject = ? AND line = 1 AND CAST(data AS TEXT) LIKE ? ORDER BY seq DESC LIMIT 20)`
				if err := db.QueryRow(query, string(room.Lobby), "%"+rare+"%").Scan(&n); err != nil || n != 5 {
					b.Fatalf("a scan found %d lines, %v; want 5", n, err)
				}
			})
			b.ReportMetric(float64(found.Microseconds()), "µs")
			b.ReportMetric(float64(scan.Microseconds()), "scan-µs")
			b.ReportMetric(float64(scan)/float64(found), "times-quicker")
		}
		b.ReportMetric(0, "ns/op")
	})
	for _, q := range []struct{ name, words, author string }{
		{"common syllable", "가", ""}, {"common word", "the", ""}, {"common word of one author", "the", "case:kim7"}, {"all of one author", "", "case:kim7"},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				took := median(11, func() {
					_, err := long.Search(context.Background(), room.SearchQuery{Words: q.words, Author: q.author, Room: room.Lobby, N: 20})
					if err != nil {
						b.Fatal(err)
					}
				})
				b.ReportMetric(float64(took.Microseconds()), "µs")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
