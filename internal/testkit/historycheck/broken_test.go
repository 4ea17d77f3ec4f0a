package historycheck_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/memjournal"
	"sarangbang/internal/sqlitestore"
	"sarangbang/internal/testkit/historycheck"
	"sarangbang/room"
)

// Houses that are really broken, each in another way, are found out, and the same house without a fault is not.
func TestBrokenHousesAreFound(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]struct {
		broken func() faults
		want   historycheck.Kind // none for a house that is not
	}{
		"sound":                  {func() faults { return faults{} }, ""},
		"shown before committed": {func() faults { return faults{forgets: kill} }, historycheck.Vanished},
		"one dropped by the journal": {func() faults {
			dropped := map[room.ID]room.Record{}
			return faults{
				write: func(r room.Record) []room.Record {
					if r.Kind == "said" && len(dropped) == 0 {
						dropped[r.ID] = r
						r.Kind = "dropped"
					}
					return []room.Record{r}
				},
				show: func(c *room.Committed) {
					if r, ok := dropped[c.Record.ID]; ok {
						c.Record.Kind = r.Kind
					}
				},
			}
		}, historycheck.Lost},
		"one in 50 never shown": {func() faults {
			said := 0
			return faults{show: func(c *room.Committed) {
				if c.Record.Kind != "said" {
					return
				}
				if said++; said%50 == 0 {
					c.Record.Kind = "dropped"
				}
			}}
		}, historycheck.Untold},
		"a retry doubled": {func() faults {
			said := 0
			return faults{write: func(r room.Record) []room.Record {
				again := r
				again.ID = room.NewID()
				if r.Kind == "said" {
					if said++; said == 60 {
						return []room.Record{r, again}
					}
				}
				return []room.Record{r}
			}}
		}, historycheck.Twice},
		"last batch lost at SIGTERM": {func() faults { return faults{forgets: terminate} }, historycheck.Lost},
		"resume skips one": {func() faults {
			return faults{places: func(p *room.Place) { p.Seen = p.Sent + 2 }} // behind their leave, and the line after it
		}, historycheck.Skipped},
		"resume repeats outside the marked part": {func() faults {
			return faults{places: func(p *room.Place) { p.Sent = p.Seen }}
		}, historycheck.Repeated},
		"a direct message leaked": {func() faults {
			lee := room.Person{}
			return faults{show: func(c *room.Committed) {
				e, err := room.Decode(*c)
				if err != nil {
					return
				}
				if e.From.Nick == "lee" {
					lee = e.From
				}
				if told, ok := e.Body.(room.Told); ok && e.From.Nick != "lee" {
					told.To = lee
					r := room.Encode(e.From, c.Record.Subject, told)
					c.Record.Subject, c.Record.Data = r.Subject, r.Data
				}
			}}
		}, historycheck.Leaked},
		"no gap notice": {func() faults { return faults{hushed: true} }, historycheck.Untold},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				found := historycheck.Check(tell(t, h.broken()))
				kinds := map[historycheck.Kind]int{}
				for _, f := range found {
					kinds[f.Kind]++
				}
				if h.want == "" && len(found) > 0 || h.want != "" && kinds[h.want] == 0 {
					t.Errorf("found %v, want %q; the first: %v", kinds, h.want, found[:min(3, len(found))])
				}
			})
		})
	}
}

// faults are what is wrong with a house. The zero faults are none.
type faults struct {
	write   func(room.Record) []room.Record // what is written instead of a record
	show    func(*room.Committed)           // changes what is read of the log
	places  func(*room.Place)               // changes how far somebody has read
	forgets ending                          // the last lines are lost when the house ends like this
	hushed  bool                            // nobody is told of gaps
}

type ending int

const (
	kill ending = iota + 1
	terminate
)

// journal is a store with faults.
type journal struct {
	*sqlitestore.Store
	faults
}

func (j *journal) Append(ctx context.Context, recs ...room.Record) ([]room.Seq, error) {
	if j.write == nil {
		return j.Store.Append(ctx, recs...)
	}
	var all []room.Record
	for _, r := range recs {
		all = append(all, j.write(r)...)
	}
	seqs, err := j.Store.Append(ctx, all...)
	return seqs[:min(len(seqs), len(recs))], err
}

func (j *journal) Tail(ctx context.Context, after room.Position, fn func([]room.Committed) error) error {
	return j.Store.Tail(ctx, after, func(batch []room.Committed) error {
		if j.show != nil {
			batch = slices.Clone(batch)
			for i := range batch {
				j.show(&batch[i])
			}
		}
		return fn(batch)
	})
}

func (j *journal) Places(ctx context.Context, account room.PersonID) ([]room.Place, error) {
	places, err := j.Store.Places(ctx, account)
	if j.places != nil {
		for i := range places {
			j.places(&places[i])
		}
	}
	return places, err
}

// stage is where a house with faults lives, again and again.
type stage struct {
	t     *testing.T
	log   historycheck.Log
	clock time.Duration // counts steps
	faults
	path     string // of the database
	snapshot string // a copy of it, older by some lines
	house    *room.House
	close    func()
	people   []*guest
	lines    int
}

// guest is somebody who comes, says and sees things.
type guest struct {
	*stage
	claim  room.Claim
	owner  bool // of an account
	screen int  // in the log
	me     *room.Member
	sent   map[string]int // attempts, by text
}

// tell lets a house live twice, and returns what was done and seen.
func tell(t *testing.T, f faults) *historycheck.Log {
	t.Helper()
	s := &stage{t: t, faults: f, path: filepath.Join(t.TempDir(), "house.db")}
	for _, name := range []string{"kim", "lee", "slow"} {
		c := room.Claim{Nick: room.Nick(name), Names: []string{"case/" + name}}
		if name != "slow" {
			c.Key = "SHA256:" + name
		}
		s.people = append(s.people, &guest{stage: s, claim: c, sent: map[string]int{}})
	}
	kim, lee, slow := s.people[0], s.people[1], s.people[2]
	for life, end := range []ending{kill, terminate} {
		s.open()
		s.asked(fmt.Sprint("after ", life, " lives"))
		for _, p := range s.people {
			p.enters()
		}
		for n := range 32 {
			for _, p := range []*guest{kim, lee} {
				if p.me == nil {
					continue
				}
				switch {
				case n%20 == 7 && p == kim:
					p.says("slow")
				case n%20 == 9 && p == lee:
					p.says("kim")
				default:
					p.says("")
				}
			}
			for _, p := range s.people {
				if p != slow || n == 1 || n == 29 {
					p.reads()
				}
			}
			switch n {
			case 8:
				kim.me.Confirmed(room.Lobby, kim.me.Reader().Seen())
			case 14: // where it is cut, nobody knows what was seen
				kim.leaves(room.EndingLost)
				time.Sleep(2 * time.Second) // as long as it may take to save that
			case 20:
				kim.enters()
			case 27:
				s.copied()
			}
		}
		s.ends(end)
	}
	s.open()
	for _, p := range s.people {
		p.enters()
	}
	lee.says("")
	for _, p := range s.people {
		p.reads()
	}
	s.asked("at the end")
	s.close()
	return &s.log
}

func (s *stage) open() {
	s.t.Helper()
	log := slog.New(slog.DiscardHandler)
	store, err := sqlitestore.Open(s.path, sqlitestore.Options{Logger: log})
	if err != nil {
		s.t.Fatal(err)
	}
	j := &journal{store, s.faults}
	s.house = room.NewHouse(j, memjournal.NewLeases(), room.Options{RingLines: 32, Logger: log})
	if err := s.house.Restore(s.t.Context(), j); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.house.Run(ctx) }()
	s.close = func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
		if err := store.Close(); err != nil {
			s.t.Error(err)
		}
	}
}

// copied makes a copy of the database as a kill would leave it now.
func (s *stage) copied() {
	s.t.Helper()
	synctest.Wait()
	s.snapshot = filepath.Join(s.t.TempDir(), "house.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(s.path + suffix)
		if err == nil {
			err = os.WriteFile(s.snapshot+suffix, b, 0o600)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// ends ends the house with everybody in it.
func (s *stage) ends(how ending) {
	s.t.Helper()
	if how == kill && s.forgets != kill {
		s.copied()
	}
	s.close()
	if how == kill || s.forgets == how {
		s.path = s.snapshot
	}
	for _, p := range s.people {
		p.me = nil
	}
}

// asked asks for the history.
func (s *stage) asked(name string) {
	s.t.Helper()
	h := historycheck.History{Name: name}
	for e, err := range s.house.History(s.t.Context(), room.LineQuery{Room: room.Lobby, N: 10_000}) {
		if err != nil {
			s.t.Fatal(err)
		}
		h.Lines = append(h.Lines, historycheck.Line{Author: string(e.From.Nick), Text: e.Body.(room.Said).Text.String()})
	}
	s.log.Histories = append(s.log.Histories, h)
}

// enters opens a screen, and is shown what they missed.
func (p *guest) enters() {
	p.t.Helper()
	me, err := p.house.Enter(p.t.Context(), p.claim, room.Entry{Where: room.Lobby, Back: true})
	if err != nil {
		p.t.Fatal(err)
	}
	p.me = me
	if p.claim.Key != "" && !p.owner {
		if void, err := me.Register(p.t.Context()); void != "" || err != nil {
			p.t.Fatalf("register: %q, %v", void, err)
		}
		p.owner = true
	}
	p.screen = len(p.log.Screens)
	p.log.Screens = append(p.log.Screens, historycheck.Screen{Name: fmt.Sprint("screen ", p.screen), Reader: string(p.claim.Nick), Account: p.owner})
	missed, returned, err := me.Missed(p.t.Context(), 1000)
	switch {
	case err != nil:
		p.t.Fatal(err)
	case returned:
		p.mark(historycheck.Mark{Kind: historycheck.Again})
		p.sees(missed.Again)
		p.mark(historycheck.Mark{Kind: historycheck.New})
		p.sees(missed.New)
	}
	p.reads()
}

func (p *guest) leaves(why room.Ending) {
	p.me.Leave(why)
	p.me = nil
}

func (p *guest) mark(m historycheck.Mark) {
	s := &p.log.Screens[p.screen]
	s.Marks = append(s.Marks, m)
}

// says says a line of its own, to the room or to one of those who are here.
func (p *guest) says(to string) {
	p.t.Helper()
	p.lines++
	p.clock++
	l := historycheck.Line{Author: string(p.claim.Nick), To: to, Text: fmt.Sprint("line ", p.lines)}
	text, err := room.Clean(l.Text, room.TextLimits{})
	if err != nil {
		p.t.Fatal(err)
	}
	var body room.Body = room.Said{Text: text}
	if to != "" {
		body = room.Told{To: p.person(to), Text: text}
	}
	p.sent[l.Text] = len(p.log.Sends)
	p.log.Sends = append(p.log.Sends, historycheck.Send{Line: l, Screen: p.screen, At: p.clock})
	if _, err := p.me.Post(p.t.Context(), room.Lobby, body); err != nil {
		p.t.Fatal(err)
	}
}

// person returns who wears a nickname, here or not.
func (s *stage) person(nick string) room.Person {
	if holder, here := s.house.Holder("case/" + nick); here {
		return holder
	}
	account, _ := s.house.Owner("case/" + nick)
	return account.Person()
}

// reads takes in everything that is there to see.
func (p *guest) reads() {
	if p.me == nil {
		return
	}
	var page [16]*room.Event
	for {
		n, missed := p.me.Reader().Read(page[:])
		if missed > 0 && !p.hushed {
			p.mark(historycheck.Mark{Kind: historycheck.Gap, N: int(missed)})
		}
		p.sees(page[:n])
		p.me.Sent(p.me.Reader().Seen())
		if n == 0 && missed == 0 {
			return
		}
	}
}

func (p *guest) sees(events []*room.Event) {
	for _, e := range events {
		l := historycheck.Line{Author: string(e.From.Nick)}
		switch b := e.Body.(type) {
		case room.Said:
			l.Text = b.Text.String()
		case room.Told:
			l.To, l.Text = string(b.To.Nick), b.Text.String()
		default:
			continue
		}
		p.me.Sent(e.Seq)
		p.clock++
		p.mark(historycheck.Mark{Kind: historycheck.Saw, Line: l})
		if i, mine := p.sent[l.Text]; mine && p.log.Sends[i].Outcome == historycheck.Unknown {
			p.log.Sends[i].Outcome, p.log.Sends[i].Done = historycheck.Shown, p.clock
		}
	}
}
