//go:build linux

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sarangbang/internal/testkit/historycheck"
)

// rounds is how many lives TestNothingSeenIsLost gives to its house. SARANGBANG_ROUNDS names another number, SARANGBANG_ROUNDS_SEED
// the seed of an earlier run.
func rounds(t *testing.T) (n int, seed uint64) {
	t.Helper()
	n, seed = 2, rand.Uint64()
	if thorough {
		n = 10
	}
	for name, set := range map[string]func(uint64){
		"SARANGBANG_ROUNDS": func(v uint64) { n = int(v) }, "SARANGBANG_ROUNDS_SEED": func(v uint64) { seed = v },
	} {
		if s := os.Getenv(name); s != "" {
			v, err := strconv.ParseUint(s, 10, 63)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			set(v)
		}
	}
	return n, seed
}

// People come to a house by all doors, say things and write down what they see, while it is killed, stopped, its disk fills up, and
// their connections break. After each round it opens again, and everything is held against its history.
func TestNothingSeenIsLost(t *testing.T) {
	t.Parallel()
	n, seed := rounds(t)
	t.Logf("%d rounds, SARANGBANG_ROUNDS_SEED=%d", n, seed)
	e := newEndurance(t, seed)
	for round := 1; round <= n && !t.Failed(); round++ {
		e.round(round)
	}
	e.last()
}

// Who comes only to look, as a script does, has seen what they were shown.
func TestWhatWasMissedIsShownOnce(t *testing.T) {
	t.Parallel()
	h := openHouse(t, setup{exempt: true})
	lee, kim := h.pipe(t, login{user: "lee"}), login{user: "kim", key: newKey(t)}
	looks := func(first string) *person {
		p := h.pipe(t, kim)
		p.keys(first)
		_ = p.stdin.Close()
		p.ends(0)
		return p
	}
	looks("/register\n").sees("is yours")
	for visit := range 3 { // each finds so much that the input is over before all of it is shown
		const lines = 200
		for i := range lines {
			lee.types(fmt.Sprintf("line %d of %d.", i, visit))
		}
		last := fmt.Sprintf("[lee] line %d of %d.\n", lines-1, visit)
		lee.sees(last)
		p := looks("")
		p.sees(last)
		p.seesNot(fmt.Sprintf(" of %d.", visit-1))
	}
}

// endurance is a house in one data folder, in which something happens again and again, and its people.
type endurance struct {
	*chronicle
	t      *testing.T
	rng    *rand.Rand
	dir    string
	people []*regular

	house  *house
	stop   context.CancelFunc // ends the coming of the people, once the house has gone
	gone   sync.WaitGroup     // of them
	did    []string           // what happened in this round
	ghosts []*mutableConn     // that fell silent, and that the house may take for alive

	probes int // so far
}

func newEndurance(t *testing.T, seed uint64) *endurance {
	t.Helper()
	e := &endurance{
		chronicle: &chronicle{begun: time.Now(), attempt: map[string]int{}, other: map[int][]string{}, prints: map[string]string{}, entries: map[string]historycheck.Entry{}},
		t:         t, rng: rand.New(rand.NewPCG(seed, 0)), dir: newDataDir(t),
	}
	for i, p := range []struct {
		name  string
		door  door
		guest bool
	}{
		{"kim", byTerminal, false},
		{"lee", byPipe, false},
		{"park", byPipe, false},
		{"choi", byPipe, false},
		{"guest", byPipe, true},
		{"visitor", byTerminal, true},
		{"old", byLines, true},
		{"nc", byLines, true},
		{"hana", byPipe, false},
		{"duri", byPipe, false},
		{"yun", byPipe, false},
		{"imp", byPipe, true},
	} {
		r := &regular{chronicle: e.chronicle, name: p.name, door: p.door, rng: rand.New(rand.NewPCG(seed, uint64(i)+1))}
		if !p.guest {
			r.key = newKey(t)
			e.prints[r.name] = fingerprint(r.key)
		}
		r.office = map[string]office{"hana": warden, "duri": keeper}[r.name]
		r.target = r.name == "yun" || r.name == "imp"
		e.people = append(e.people, r)
	}
	return e
}

// open opens the house, one in three with little memory.
func (e *endurance) open() {
	e.t.Helper()
	limits := ""
	if e.rng.IntN(3) == 0 { // whoever is not quick misses something then, and is told
		limits = "room_ring_lines = 16\n"
	}
	limits += fmt.Sprintf("[operators]\nkeys = [%q]\n", e.prints["hana"])
	e.house = openHouse(e.t, setup{dir: e.dir, exempt: true, limits: limits})
}

// admit lets everybody come, until the house has gone.
func (e *endurance) admit() {
	ctx, stop := context.WithCancel(context.Background())
	e.t.Cleanup(stop)
	e.stop = stop
	for _, r := range e.people {
		e.gone.Go(func() { r.live(ctx, e.t, e.house) })
	}
}

// round is one life of the house, and what is found after it.
func (e *endurance) round(n int) {
	e.t.Helper()
	e.did = nil
	if e.house == nil {
		e.open()
		e.founds()
	}
	e.admit()
	if n == 1 || e.rng.IntN(2) == 0 {
		e.calm()
	} else {
		e.passes(1000)
	}
	if e.rng.IntN(3) == 0 {
		e.pause()
	}
	for range e.rng.IntN(3) {
		e.strike()
		e.passes(400)
	}
	if e.rng.IntN(40) == 0 {
		e.notes("11 s of talk") // which is longer than clients are left unasked for a sign of life
		<-time.After(11 * time.Second)
	}
	e.end()
	ended := e.house
	e.open()
	e.check(fmt.Sprintf("after round %d", n))
	ended.blamed = !e.t.Failed() // the logs of those in which all was well help nobody
}

// last lets everybody come once more, undisturbed, and see everything.
func (e *endurance) last() {
	e.t.Helper()
	if e.t.Failed() {
		return
	}
	e.did = nil
	e.admit()
	e.calm()
	e.end()
	e.open()
	e.check("at the end")
	e.house.stop()
	e.report()
}

// passes lets some time pass, up to a number of milliseconds.
func (e *endurance) passes(most int) {
	<-time.After(time.Duration(e.rng.IntN(most)) * time.Millisecond)
}

// pause is a silence after which clients are asked for a sign of life: what stands on their screens is certain then.
func (e *endurance) pause() {
	e.notes("a pause")
	e.hush.Store(true)
	<-time.After(1200 * time.Millisecond)
	e.passes(1000)
	e.hush.Store(false)
}

// calm waits until everybody is there and has been shown a line of their own. As everything before it is then shown, or told as
// skipped, nobody is left waiting for anything.
func (e *endurance) calm() {
	e.t.Helper()
	before := map[string]int{}
	e.mu.Lock()
	for _, r := range e.people {
		before[r.name] = r.acked
	}
	e.mu.Unlock()
	var waits []string
	all := func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		waits = nil
		for _, r := range e.people {
			if !r.target && (r.acked == before[r.name] || r.key != nil && !r.owner) {
				waits = append(waits, r.standing())
			}
		}
		return waits == nil
	}
	if !eventually(patience, all) {
		e.house.blame()
		e.mu.Lock()
		defer e.mu.Unlock()
		e.t.Fatalf("after %v %v were not shown what they said; %s; %s", patience, waits, strings.Join(e.did, ", "), e.file())
	}
}

// strike is one thing that goes wrong while the house runs.
func (e *endurance) strike() {
	e.t.Helper()
	switch e.rng.IntN(4) {
	case 0:
		e.notes("SIGSTOP, SIGCONT")
		e.house.signal(syscall.SIGSTOP)
		e.passes(500)
		e.house.signal(syscall.SIGCONT)
	case 1:
		e.fill()
	case 2:
		e.each("cut", func(r *regular) bool { return true }, func(c *mutableConn) { c.cut() })
	case 3: // whoever comes again while the house takes them for present needs a key
		e.each("mute", func(r *regular) bool { return r.key != nil }, func(c *mutableConn) {
			c.mute()
			e.ghosts = append(e.ghosts, c)
		})
	}
}

func (e *endurance) notes(what string) { e.did = append(e.did, what) }

// each does something to the connections of some people.
func (e *endurance) each(what string, whom func(r *regular) bool, do func(*mutableConn)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.people {
		if whom(r) && r.here != nil && e.rng.IntN(3) == 0 {
			what += " " + r.name
			do(r.here.conn)
		}
	}
	e.notes(what)
}

// fill makes the house's files as full as they may be, and gives it room again: it must get over that by itself.
func (e *endurance) fill() {
	e.t.Helper()
	most := uint64(0)
	if all, _ := filepath.Glob(filepath.Join(e.dir, "sarangbang.db*")); len(all) > 0 && e.rng.IntN(2) == 0 {
		if i, err := os.Stat(all[e.rng.IntN(len(all))]); err == nil {
			most = uint64(i.Size())
		}
	}
	e.notes(fmt.Sprintf("no file longer than %d bytes", most))
	e.house.limitFiles(most)
	if most == 0 {
		e.healthy(http.StatusServiceUnavailable)
		if status, _, errs := e.house.command(e.t, login{user: "auditor"}, "history 5"); status != 0 {
			e.t.Errorf("while nothing can be saved the history ends with status %d: %s", status, errs)
		}
	}
	e.passes(600)
	e.house.limitFiles(noLimit)
	e.calm()
	e.healthy(http.StatusOK)
}

// healthy waits until the operators' door says that all is well, or that it is not.
func (e *endurance) healthy(want int) {
	e.t.Helper()
	var got int
	var why string
	if !eventually(patience, func() bool { got, why = e.house.get("/healthz"); return got == want }) {
		e.house.blame()
		e.t.Fatalf("after %s the house's health is %d (%s), want %d", strings.Join(e.did, ", "), got, why, want)
	}
}

// end ends the house in one of the ways in which houses end, and waits until everybody has noticed.
func (e *endurance) end() {
	e.t.Helper()
	switch e.rng.IntN(5) {
	case 0, 1:
		e.notes("SIGTERM")
		e.house.signal(syscall.SIGTERM)
		e.house.exits(5*time.Second, 0)
	case 2:
		e.notes("SIGSTOP, SIGKILL")
		e.house.signal(syscall.SIGSTOP)
		e.passes(300)
		fallthrough
	default:
		e.notes("SIGKILL")
		e.house.signal(syscall.SIGKILL)
		<-e.house.exited
	}
	for _, word := range []string{"panic", "DATA RACE", "record unreadable"} {
		if log := e.house.log.String(); strings.Contains(log, word) {
			e.t.Errorf("the log has %q in it:\n%s", word, log)
		}
	}
	e.stop()
	for _, c := range e.ghosts {
		_ = c.Close()
	}
	e.ghosts = nil
	e.gone.Wait()
}

// check holds everything that was sent and seen so far against the history.
func (e *endurance) check(when string) {
	e.t.Helper()
	name := when + " (" + strings.Join(e.did, ", ") + ")"
	audit := e.audit(name)
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.log.Kept); n > 1 {
		e.log.Kept = e.log.Kept[n-1:]
		e.log.Audits = slices.Delete(e.log.Audits, 1, len(e.log.Audits)-1)
	}
	e.log.Audits = append(e.log.Audits, audit)
	e.log.States, e.log.Probes = nil, nil
	for _, room := range []string{historycheck.Lobby, dev, den} {
		e.log.States = append(e.log.States, e.state(room))
	}
	for _, who := range []string{"yun", "imp"} {
		e.log.Probes = append(e.log.Probes, e.probe(who, []string{historycheck.Lobby, dev}[e.rng.IntN(2)]))
	}
	e.log.Probes = append(e.log.Probes, e.probe([]string{"lee", "park", "imp"}[e.rng.IntN(3)], []string{dev, den}[e.rng.IntN(2)]))
	kept := e.kept(name)
	e.log.Kept = append(e.log.Kept, kept)
	e.log.Views = e.views(name, kept)
	faults := historycheck.CheckHouse(&e.log)
	for i, f := range faults {
		if i == 20 {
			e.t.Errorf("and %d more", len(faults)-i)
			break
		}
		e.t.Error(f)
	}
	for _, w := range e.wrong {
		e.t.Error(w)
	}
	if e.t.Failed() {
		e.house.blame()
		e.t.Errorf("found %s; %s", name, e.file())
	}
}

// file writes down what everybody sent and saw, and says where. It needs mu.
func (e *endurance) file() string {
	e.t.Helper()
	var b strings.Builder
	for i, s := range e.log.Screens {
		fmt.Fprintf(&b, "%s (account %v)\n", s.Name, s.Account)
		for _, m := range s.Marks {
			fmt.Fprintf(&b, "  %s\n", map[historycheck.MarkKind]string{
				historycheck.Saw:   fmt.Sprintf("[%s>%s] %s", m.Line.Author, m.Line.To, m.Line.Text),
				historycheck.Gap:   fmt.Sprintf("- %d skipped", m.N),
				historycheck.Again: "- perhaps seen before:",
				historycheck.New:   "- new:",
				historycheck.Turn:  "- turns to " + m.Room,
				historycheck.Left:  "- may be out of " + m.Room,
			}[m.Kind])
		}
		for _, row := range e.other[i] {
			fmt.Fprintf(&b, "  read besides: %s\n", row)
		}
		for _, a := range e.log.Sends {
			if a.Screen == i {
				outcome := map[historycheck.Outcome]string{historycheck.Shown: "shown", historycheck.Refused: "refused", historycheck.Unknown: "no outcome"}[a.Outcome]
				fmt.Fprintf(&b, "  sent at %v to %q, %s at %v: %s\n", a.At, a.To, outcome, a.Done, a.Text)
			}
		}
	}
	for i := range e.log.Deeds {
		fmt.Fprintf(&b, "at %v to %v %s\n", e.log.Deeds[i].At, e.log.Deeds[i].Done, &e.log.Deeds[i])
	}
	for _, a := range e.log.Audits {
		fmt.Fprintf(&b, "audit %s\n", a.Name)
		for i := range a.Records {
			fmt.Fprintf(&b, "  %s %v of %v\n", &a.Records[i], a.Records[i].At, a.Records[i].Of)
		}
	}
	for _, k := range e.log.Kept {
		for room, entries := range k.Rooms {
			fmt.Fprintf(&b, "history of %s %s\n", room, k.Name)
			for _, l := range entries {
				fmt.Fprintf(&b, "  %d %s struck %v\n", l.Seq, l, l.Struck)
			}
		}
	}
	path := filepath.Join(e.t.ArtifactDir(), "chronicle.txt")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		e.t.Error(err)
	}
	return "what everybody saw is in " + path + ", which go test keeps with -artifacts"
}

// report says what there was, so that a run in which nothing happened is seen to be one.
func (e *endurance) report() {
	e.mu.Lock()
	defer e.mu.Unlock()
	outcomes := map[historycheck.Outcome]int{}
	for _, s := range e.log.Sends {
		outcomes[s.Outcome]++
	}
	var seen, gaps, skipped, repeated int
	for _, s := range e.log.Screens {
		again := false
		for _, m := range s.Marks {
			switch m.Kind {
			case historycheck.Again, historycheck.New:
				again = m.Kind == historycheck.Again
			case historycheck.Turn, historycheck.Left: // nothing was read
			case historycheck.Gap:
				gaps++
				skipped += m.N
			case historycheck.Saw:
				seen++
				if again && s.Account {
					repeated++
				}
			}
		}
	}
	kept := 0
	for _, entries := range e.log.Kept[len(e.log.Kept)-1].Rooms {
		kept += len(entries)
	}
	e.t.Logf("%d lines sent: %d acknowledged, %d refused, %d neither; %d kept", len(e.log.Sends), outcomes[historycheck.Shown],
		outcomes[historycheck.Refused], outcomes[historycheck.Unknown], kept)
	acts := map[string]int{}
	for _, d := range e.log.Deeds {
		acts[d.Kind+" "+d.Outcome.String()]++
	}
	e.t.Logf("%d acts: %v", len(e.log.Deeds), acts)
	e.t.Logf("%d screens, on which %d lines stood, %d of them shown again; %d gaps of %d lines were told", len(e.log.Screens), seen, repeated, gaps, skipped)
}
