package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sarangbang/internal/cells"
	"sarangbang/internal/command"
	"sarangbang/internal/i18n"
	"sarangbang/internal/identity"
	"sarangbang/internal/memjournal"
	"sarangbang/internal/moderation"
	"sarangbang/internal/session"
	"sarangbang/room"
)

// house is a whole house over a journal in memory, with everything that a session needs.
type house struct {
	*session.Service
	room    *room.House
	journal *memjournal.Journal
	log     *lockedBuffer
	knocks  lockedBuffer // who was sent away at a door, a line each
	motd    string
}

// Motd and Rules make the house the operator of itself.
func (h *house) Motd(i18n.Lang) room.Text  { return room.Sentence(h.motd) }
func (h *house) Rules(i18n.Lang) room.Text { return room.Text{} }

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func limits() session.Limits {
	return session.Limits{
		Message: room.DefaultTextLimits, BacklogLines: 20, OutboxLines: 64, RefusalsPer10s: 40, NickTimeout: 10 * time.Minute,
	}
}

// newHouse starts a house in the test's bubble, with an archive if one is given; it ends with the test's function.
func newHouse(t *testing.T, l session.Limits, archive ...room.Archive) *house {
	t.Helper()
	h := &house{journal: memjournal.New(memjournal.Options{}), log: &lockedBuffer{}}
	logger := slog.New(slog.NewTextHandler(h.log, nil))
	h.room = room.NewHouse(h.journal, memjournal.NewLeases(), room.Options{Logger: logger})
	h.Service = session.New(session.Options{
		House: h.room, Names: identity.DefaultRules(), Limits: l, Lang: i18n.English, Logger: logger,
		Knocked: func(door string, from netip.Addr) { fmt.Fprintln(&h.knocks, door, from) },
		Words:   func() command.Words { return h },
		Keys:    func(yield func(string, []string) bool) { yield("send", []string{"Enter"}) },
		Rates: moderation.NewRates(moderation.Limits{
			MessageBurst: 8, MessagesPerSecond: 2, MessageDelay: 5 * time.Second, NickChangesPerMinute: 5, JoinsPerMinute: 30, NewPeoplePerMinute: 10,
		}),
	})
	for _, a := range archive {
		if err := h.room.Restore(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := h.room.Run(ctx); err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
	return h
}

// person is somebody at a console of the test's own: what is typed goes in through a channel, what is printed is kept.
type person struct {
	t       *testing.T
	columns int
	in      chan session.Input
	cancel  context.CancelCauseFunc
	end     chan session.End

	mu         sync.Mutex
	out        strings.Builder // guarded by mu, like all below
	complain   strings.Builder
	forms      [][]session.Span
	restored   []string
	remembered []string
	behind     bool
	wake       chan struct{}
	plain      bool
	color      bool
	notes      []string
	bells      int
	propose    func(string, int) (int, []string)
}

func (h *house) person(t *testing.T, columns int, v session.Visitor) *person {
	t.Helper()
	p := &person{t: t, columns: columns, in: make(chan session.Input), end: make(chan session.End, 1), wake: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancelCause(context.Background())
	p.cancel = cancel
	if v.Session == "" {
		v.Session = "s-" + v.User
	}
	v.Remote = netip.MustParseAddr("127.0.0.1")
	go func() { p.end <- h.ServeConsole(ctx, v, p) }()
	t.Cleanup(func() { cancel(nil) })
	return p
}

// terminal lets somebody in by a terminal, under the name they log in with.
func (h *house) terminal(t *testing.T, nick string) *person {
	t.Helper()
	p := h.person(t, 200, session.Visitor{User: nick, Term: "xterm"})
	p.enter("")
	synctest.Wait()
	return p
}

func (p *person) enter(line string) { p.in <- session.Input{Kind: session.Line, Text: line} }

func (p *person) Next(ctx context.Context, w session.Wait) (session.Input, error) {
	in := p.in
	if w.Hold {
		in = nil
	}
	select {
	case i, ok := <-in:
		if !ok {
			return i, io.EOF
		}
		return i, nil
	case <-w.Bell:
	case <-w.Timer:
	case <-p.wake:
	case <-ctx.Done():
		return session.Input{}, context.Cause(ctx)
	}
	return session.Input{Kind: session.Woken}, nil
}

func (p *person) Print(rows []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out.Write(rows)
	return nil
}

func (p *person) Complain(rows []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complain.Write(rows)
	if p.columns > 0 {
		p.out.Write(rows)
	}
	return nil
}

func (p *person) SetPrompt(forms ...[]session.Span) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forms = forms
}

// prompt is the form of the prompt that the screen has room for.
func (p *person) prompt() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := ""
	for _, form := range p.forms {
		text = ""
		for _, s := range form {
			text += s.Text
		}
		if 2*cells.Width(text) <= p.columns {
			return text
		}
	}
	return text
}

// resize gives the screen another width.
func (p *person) resize(columns int) {
	p.mu.Lock()
	p.columns = columns
	p.mu.Unlock()
	p.wake <- struct{}{}
	synctest.Wait()
}

func (p *person) Restore(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.restored = append(p.restored, text)
}

func (p *person) Remember(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remembered = append(p.remembered, line)
}

func (p *person) Delivered() bool { return true }

func (p *person) Probe(answered func()) { go answered() }

func (p *person) Columns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.columns
}

func (p *person) SetCompleter(propose func(string, int) (int, []string)) { p.propose = propose }

func (p *person) SetWords(string, string) {}

func (p *person) SetPlain(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plain = on
}

func (p *person) Ruler() cells.Ruler { return cells.Ruler{} }

func (p *person) SetColor(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.color = on
}

func (p *person) Notify(osc int, title, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notes = append(p.notes, fmt.Sprintf("%d %s: %s", osc, title, text))
}

// noted returns the notifications, when nothing more can happen.
func (p *person) noted() []string {
	time.Sleep(time.Second)
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.notes)
}

func (p *person) Bell() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bells++
}

func (p *person) rung() int {
	time.Sleep(time.Second)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bells
}

func (p *person) Behind() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.behind
}

func (p *person) setBehind(b bool) {
	p.mu.Lock()
	p.behind = b
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// screen returns what was printed so far, without colours, when nothing more can happen.
func (p *person) screen() string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return sgr.ReplaceAllString(p.out.String(), "")
}

func (p *person) sees(want string) {
	p.t.Helper()
	time.Sleep(time.Second) // in the bubble: all that is on its way, gathered lines too, has arrived
	if got := p.screen(); !strings.Contains(got, want) {
		p.t.Errorf("screen:\n%s\nwant it to contain %q", got, want)
	}
}

func (p *person) seesNot(not string) {
	p.t.Helper()
	time.Sleep(time.Second)
	if got := p.screen(); strings.Contains(got, not) {
		p.t.Errorf("screen:\n%s\nwant it not to contain %q", got, not)
	}
}

func (p *person) ends(want room.Ending, status int) {
	p.t.Helper()
	select {
	case got := <-p.end:
		if got.Why != want || got.Status != status {
			p.t.Errorf("session ended %q with status %d, want %q with %d", got.Why, got.Status, want, status)
		}
	case <-time.After(2 * time.Minute):
		p.t.Errorf("session goes on, want it to end %q", want)
	}
}

func TestTwoPeopleTalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		kim.sees("Welcome, kim.")
		kim.sees("* kim joined.\n")
		lee := h.terminal(t, "lee")
		kim.sees("* lee joined.\n")
		kim.enter("hello")
		kim.sees("[kim] hello\n")
		lee.sees("[kim] hello\n")
		lee.enter("/me waves")
		kim.sees("[lee] * waves\n")
		lee.enter("/bye")
		lee.ends(room.EndingLeft, 0)
		kim.sees("* lee left.\n")
		if got := kim.prompt(); got != "#lobby kim> " {
			t.Errorf("prompt = %q, want %q", got, "#lobby kim> ")
		}
		if log := h.log.String(); !strings.Contains(log, "msg=joined") || !strings.Contains(log, "msg=left") || !strings.Contains(log, "people=2") {
			t.Errorf("log = %s\nwant joins and leaves with the count of people", log)
		}
	})
}

func TestNothingIsShownBeforeItIsCommitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		h.journal.Suspend("disk full")
		kim.enter("not yet")
		kim.seesNot("[kim] not yet")
		lee.seesNot("[kim] not yet")
		if got := kim.prompt(); got != "#lobby kim sending…> " {
			t.Errorf("prompt = %q, want it to say that the line is on its way", got)
		}
		h.journal.Resume()
		kim.sees("[kim] not yet\n")
		lee.sees("[kim] not yet\n")
		if got := kim.prompt(); got != "#lobby kim> " {
			t.Errorf("prompt = %q, want %q", got, "#lobby kim> ")
		}
	})
}

func TestLineThatCannotBeSavedComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		h.journal.Suspend("disk full")
		kim.enter("first")
		time.Sleep(2 * time.Minute)
		kim.sees("Not saved")
		if len(kim.restored) != 1 || kim.restored[0] != "first" {
			t.Errorf("restored = %q, want the line", kim.restored)
		}
		h.journal.Resume()
		kim.enter("second")
		kim.sees("[kim] second\n")
		kim.seesNot("[kim] first")
	})
}

func TestSlowReaderIsToldAboutTheGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.person(t, 80, session.Visitor{User: "kim", Term: "xterm", Exempt: true})
		kim.enter("")
		lee := h.terminal(t, "lee")
		time.Sleep(time.Second)
		lee.setBehind(true)
		for i := range 1500 {
			kim.enter(fmt.Sprintf("line %d", i))
			if i%50 == 0 {
				time.Sleep(time.Second)
			}
		}
		kim.sees("[kim] line 1499\n")
		lee.seesNot("line")
		lee.setBehind(false)
		lee.sees("* 476 lines skipped, /catchup shows them.\n[kim] line 476\n")
		lee.sees("[kim] line 1499\n")
		if got := h.Stats().Missed; got != 476 {
			t.Errorf("missed = %d, want 476", got)
		}
	})
}

func TestNickIsAskedUntilOneCanBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		h.terminal(t, "kim")
		p := h.person(t, 200, session.Visitor{User: "kim", Term: "xterm"})
		p.sees("* Somebody here has the nickname kim")
		if p.prompt() != "nickname: " {
			t.Errorf("prompt = %q, want no offer for a name that is taken", p.prompt())
		}
		p.enter("KIM")
		p.sees("nickname KIM")
		p.enter("")
		p.sees("needs at least one letter")
		p.enter("a/b")
		p.sees("can't hold /")
		p.enter(" lee")
		p.sees("lee would work")
		p.enter(" kim")
		p.seesNot("kim would work")
		p.enter("k\u0456m")
		p.sees("Somebody here has the nickname k\u0456m, or one")
		p.enter("lee")
		p.sees("Welcome, lee.")
		q := h.person(t, 80, session.Visitor{User: "park", Term: "xterm", Env: map[string]string{"LANG": "ko_KR.UTF-8"}})
		synctest.Wait()
		if q.prompt() != "닉네임 [park]: " {
			t.Errorf("prompt = %q, want the offer in Korean", q.prompt())
		}
		q.enter("")
		q.sees("park 님, 어서 오세요.")
		p.sees("* park joined.\n")
		q.sees("* park 님이 들어왔습니다.\n")
	})
}

func TestNickTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		p := h.person(t, 80, session.Visitor{User: "kim", Term: "xterm"})
		time.Sleep(11 * time.Minute)
		p.sees("No nickname was chosen in time")
		p.ends(room.EndingIdle, 1)
	})
}

func TestSameKeyIsOnePersonWithTwoScreens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		lee := h.terminal(t, "lee")
		key := session.Visitor{User: "kim", Key: "SHA256:abc", Term: "xterm"}
		one := h.person(t, 80, key)
		one.enter("")
		synctest.Wait() // or the second could be in first
		two := h.person(t, 80, key)
		two.enter("")
		two.sees("You are here already as kim")
		one.enter("/bye")
		one.ends(room.EndingLeft, 0)
		lee.seesNot("kim left")
		lee.enter("/who")
		lee.sees("2 people are here: lee, kim")
		two.enter("/nick park")
		lee.sees("* kim is now called park.\n")
		two.enter("hi")
		lee.sees("[park] hi\n")
		if two.prompt() != "#lobby park> " {
			t.Errorf("prompt = %q, want the new nickname", two.prompt())
		}
		close(two.in)
		two.ends(room.EndingLost, 1)
		lee.sees("* park left.\n")
	})
}

func TestDirectMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee, third := h.terminal(t, "kim"), h.terminal(t, "lee min"), h.terminal(t, "third")
		kim.enter("/msg lee min psst")
		kim.sees("[you → lee min] psst\n")
		lee.sees("[kim → you] psst\n")
		lee.enter("/reply what?")
		kim.sees("[lee min → you] what?\n")
		kim.enter(`/msg "LEE MIN" quoted`)
		lee.sees("[kim → you] quoted\n")
		kim.enter("/msg nobody hi")
		kim.sees("Nobody here is called nobody.")
		kim.enter("/msg kim hi")
		kim.sees("That is yourself.")
		third.enter("/reply hi")
		third.sees("no direct message to answer")
		third.seesNot("psst")
	})
}

func TestReplyRightBehindADirectMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		lee := h.terminal(t, "lee")
		p := h.person(t, 0, session.Visitor{User: "kim"})
		p.enter("/msg lee one")
		p.enter("/reply two")
		close(p.in)
		p.ends(room.EndingLeft, 0)
		lee.sees("[kim → you] one\n[kim → you] two\n")
	})
}

func TestReplyReachesWhoeverWasRenamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		lee.enter("/msg kim psst")
		kim.sees("[lee → you] psst\n")
		lee.enter("/nick park")
		kim.sees("* lee is now called park.\n")
		other := h.terminal(t, "lee")
		kim.enter("/reply what?")
		lee.sees("[kim → you] what?\n")
		kim.sees("[you → park] what?\n")
		other.seesNot("what?")
	})
}

func TestCommandAnswerComesAfterTheLinesBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		kim.enter("one")
		kim.enter("two")
		kim.enter("/who")
		kim.enter("three")
		kim.sees("[kim] three\n")
		got := kim.screen()
		if a, b := strings.Index(got, "[kim] two"), strings.Index(got, "One person is here: kim"); a < 0 || b < a {
			t.Errorf("screen:\n%s\nwant the answer behind the lines before it", got)
		}
	})
}

func TestAnswersThatWaitedForASlowScreenAllCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		kim.setBehind(true)
		kim.enter("/who")
		kim.enter("/help bye")
		kim.enter("/whoami")
		time.Sleep(time.Second)
		kim.setBehind(false)
		kim.sees("You are kim.")
		pipe := h.person(t, 0, session.Visitor{User: "lee"})
		pipe.setBehind(true)
		go func() { // it is read no faster than its answers are taken
			for i := range 3 {
				pipe.enter("/whoami")
				pipe.enter(fmt.Sprint("after answer ", i))
			}
			close(pipe.in)
		}()
		time.Sleep(time.Second)
		pipe.setBehind(false)
		pipe.ends(room.EndingLeft, 0)
		answer := regexp.MustCompile(`You are lee\.|after answer \d`)
		want := []string{"You are lee.", "after answer 0", "You are lee.", "after answer 1", "You are lee.", "after answer 2"}
		if got := answer.FindAllString(pipe.screen(), -1); !slices.Equal(got, want) {
			t.Errorf("%q in\n%s\nwant %q: each answer before the line that was typed behind it", got, pipe.screen(), want)
		}
	})
}

func TestUnknownCommandAndEscape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		kim.enter("/hlep")
		kim.sees("There is no command /hlep. Did you mean /help?")
		kim.enter("//etc/passwd")
		kim.sees("[kim] /etc/passwd\n")
		kim.enter("/lang ko")
		kim.sees("한국어로 보여 드립니다.")
		kim.enter("/nope")
		kim.sees("/nope 명령은 없습니다.")
	})
}

func TestTooLongAMessageIsRefusedWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		long := strings.Repeat("가", 1400)
		kim.enter(long)
		kim.sees("your message has 4200 bytes in 1 line; at most 4096 bytes in 20 lines")
		if len(kim.restored) != 1 || kim.restored[0] != long {
			t.Errorf("restored %d texts, want the whole one", len(kim.restored))
		}
		kim.enter(strings.Repeat("x\n", 20) + "x")
		kim.sees("in 21 lines")
		kim.enter("a\nb\n")
		kim.sees("[kim] a\n¦ b\n")
	})
}

func TestFastWriterIsDelayedThenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		for i := range 30 {
			kim.enter(fmt.Sprintf("m%d", i))
		}
		kim.sees("you write faster than is allowed")
		time.Sleep(10 * time.Second)
		said := strings.Count(kim.screen(), "[kim] m")
		refused := strings.Count(kim.screen(), "faster than is allowed")
		if said+refused != 30 || said < 16 || said > 19 {
			t.Errorf("%d said and %d refused of 30, want each either, and about 18 said", said, refused)
		}
		if len(kim.restored) != refused {
			t.Errorf("%d texts given back, want the %d refused", len(kim.restored), refused)
		}
	})
}

func TestTooManyRefusalsEndTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		go func() {
			for range 60 {
				select {
				case kim.in <- session.Input{Kind: session.Line, Text: "/nonsense"}:
				case <-time.After(time.Second):
				}
			}
		}()
		kim.ends(room.EndingRefused, 1)
		kim.sees("Too much of what you sent had to be refused")
		time.Sleep(2 * time.Minute)
	})
}

func TestPipeWaitsAndShowsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		p := h.person(t, 0, session.Visitor{User: "kim"})
		go func() {
			for i := range 40 {
				p.enter(fmt.Sprintf("m%d", i))
			}
			close(p.in)
		}()
		p.ends(room.EndingLeft, 0)
		got := p.screen()
		want := "* kim joined.\n"
		for i := range 40 {
			want += fmt.Sprintf("[kim] m%d\n", i)
		}
		if got != want {
			t.Errorf("stdout = %q, want %q", got, want)
		}
	})
}

func TestPipeWithARefusedLineEndsWithStatusOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		p := h.person(t, 0, session.Visitor{User: "kim"})
		go func() {
			p.enter("fine")
			p.enter(strings.Repeat("x", 5000))
			p.enter("/nope")
			p.enter("also fine")
			close(p.in)
		}()
		p.ends(room.EndingLeft, 1)
		if got := p.complain.String(); !strings.Contains(got, "line 2: Not sent: your message has 5000 bytes") || !strings.Contains(got, "line 3: There is no command /nope") {
			t.Errorf("stderr = %q, want both refused lines named", got)
		}
		if got := p.screen(); !strings.HasSuffix(got, "[kim] fine\n[kim] also fine\n") {
			t.Errorf("stdout = %q, want the others said", got)
		}
	})
}

func TestPipeThatIsBehindLosesNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		p := h.person(t, 0, session.Visitor{User: "kim"})
		p.setBehind(true)
		go func() {
			for range 39 { // one more would end the session
				p.enter("/nope")
			}
			close(p.in)
		}()
		time.Sleep(time.Second)
		p.setBehind(false)
		p.ends(room.EndingLeft, 1)
		for i := range 39 {
			if want := fmt.Sprintf("* line %d: There is no command /nope.", i+1); !strings.Contains(p.complain.String(), want) {
				t.Errorf("stderr = %q, want it to contain %q", p.complain.String(), want)
			}
		}
	})
}

func TestPipeIsToldOfEachLineThatWasNotSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		p := h.person(t, 0, session.Visitor{User: "kim", Exempt: true})
		p.sees("* kim joined.")
		h.journal.Suspend("disk full")
		const lines = 60
		for i := range lines {
			p.enter(fmt.Sprintf("line %d", i+1))
		}
		close(p.in)
		time.Sleep(5 * time.Minute)
		h.journal.Resume() // nobody leaves without it
		p.ends(room.EndingLeft, 1)
		errs := p.complaints()
		for i := range lines {
			if want := fmt.Sprintf("* line %d: Not saved", i+1); !strings.Contains(errs, want) {
				t.Errorf("standard error lacks %q:\n%s", want, errs)
				break
			}
		}
	})
}

func TestPipeIsNotCutOffForManyRefusedLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		p := h.person(t, 0, session.Visitor{User: "kim"})
		go func() {
			for range 100 {
				p.enter("/nope")
			}
			p.enter("fine")
			close(p.in)
		}()
		p.ends(room.EndingLeft, 1)
		if got := strings.Count(p.complain.String(), "There is no command /nope"); got != 100 {
			t.Errorf("%d refusals on stderr, want each of the 100 named", got)
		}
		if got := p.screen(); !strings.HasSuffix(got, "[kim] fine\n") {
			t.Errorf("stdout = %q, want the last line said", got)
		}
	})
}

func TestNarrowPromptKeepsRoomForTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		p := h.person(t, 20, session.Visitor{User: "kimchulsoo", Term: "xterm"})
		p.sees("* nickname \n¦ [kimchulsoo]: \n")
		if p.prompt() != "nickname: " {
			t.Errorf("prompt = %q, want it whole", p.prompt())
		}
		p.enter("")
		p.sees("kimchulsoo joined")
		for _, c := range []struct {
			columns       int
			want, sending string
		}{{20, "> ", "sending…> "}, {16, "> ", "…> "}, {24, "kimchulsoo> ", "sending…> "}, {38, "#lobby kimchulsoo> ", "sending…> "}, {12, "> ", "…> "}, {80, "#lobby kimchulsoo> ", "#lobby kimchulsoo sending…> "}} {
			p.resize(c.columns)
			if got := p.prompt(); got != c.want {
				t.Errorf("%d columns: prompt = %q, want %q", c.columns, got, c.want)
			}
			h.journal.Suspend("disk full")
			p.enter("hi")
			time.Sleep(time.Second)
			if got := p.prompt(); got != c.sending {
				t.Errorf("%d columns: prompt = %q, want %q", c.columns, got, c.sending)
			}
			h.journal.Resume()
			time.Sleep(time.Second)
		}
		if got := strings.Count(p.screen(), "[kimchulsoo]:"); got != 1 {
			t.Errorf("the offer was told %d times, want 1", got)
		}
	})
}

func TestOfferIsToldWhenTheScreenBecomesTooNarrowForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		p := h.person(t, 80, session.Visitor{User: "kimchulsoo", Term: "xterm"})
		synctest.Wait()
		if got, want := p.prompt(), "nickname [kimchulsoo]: "; got != want {
			t.Errorf("prompt = %q, want %q", got, want)
		}
		p.seesNot("[kimchulsoo]")
		for _, columns := range []int{30, 25} {
			p.resize(columns)
			if got, want := p.prompt(), "nickname: "; got != want {
				t.Errorf("prompt = %q, want %q", got, want)
			}
		}
		p.sees("* nickname [kimchulsoo]:")
		if got := strings.Count(p.screen(), "[kimchulsoo]"); got != 1 {
			t.Errorf("the offer was told %d times, want 1", got)
		}
	})
}

func TestPipeWithoutAUsableNameIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		h.terminal(t, "kim")
		p := h.person(t, 0, session.Visitor{User: "kim"})
		p.ends(room.EndingLost, 1)
		if got := p.complain.String(); !strings.Contains(got, "Somebody here has the nickname kim") || !strings.Contains(got, "ssh NAME@host") {
			t.Errorf("stderr = %q, want the reason and what would work", got)
		}
	})
}

func TestEndIsToldAndTheRoomHearsOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		kim.cancel(session.Shutdown)
		kim.ends(room.EndingShutdown, 1)
		kim.sees("* The house is closing.")
		lee.sees("* kim left.\n")
	})
}

func TestPipeIsToldOnStandardErrorWhyItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		p := h.person(t, 0, session.Visitor{User: "kim"})
		p.sees("* kim joined.\n")
		p.cancel(session.Shutdown)
		p.ends(room.EndingShutdown, 1)
		if got, want := p.complain.String(), "* The house is closing. Come back in a moment.\n"; got != want {
			t.Errorf("stderr = %q, want %q", got, want)
		}
		p.seesNot("closing")
	})
}

func TestWhoCannotBeLetInIsToldWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		h.journal.Suspend("disk full")
		kim := h.terminal(t, "kim")
		lee := h.person(t, 0, session.Visitor{User: "lee"})
		kim.ends(room.EndingLost, 1)
		lee.ends(room.EndingLost, 1)
		kim.sees("the house cannot write at the moment")
		if got := lee.complain.String(); !strings.Contains(got, "the house cannot write at the moment") {
			t.Errorf("stderr = %q, want the reason", got)
		}
	})
}

func TestIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limits()
		l.IdleTimeout = time.Hour
		h := newHouse(t, l)
		kim := h.terminal(t, "kim")
		time.Sleep(59 * time.Minute)
		kim.enter("still here")
		time.Sleep(59 * time.Minute)
		kim.seesNot("silent for too long")
		time.Sleep(2 * time.Minute)
		kim.sees("silent for too long")
		kim.ends(room.EndingIdle, 1)
	})
}

// brokenScreen panics when it is to draw a certain text.
type brokenScreen struct{ *person }

func (b brokenScreen) Print(rows []byte) error {
	if bytes.Contains(rows, []byte("boom")) {
		panic("drawing failed")
	}
	return b.person.Print(rows)
}

func TestPanicEndsOneSessionOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		p := &person{t: t, columns: 80, in: make(chan session.Input), wake: make(chan struct{}, 1)}
		end := make(chan session.End, 1)
		go func() {
			end <- h.ServeConsole(t.Context(), session.Visitor{Session: "s-lee", User: "lee", Term: "xterm"}, brokenScreen{p})
		}()
		p.enter("")
		kim.sees("* lee joined.\n")
		kim.enter("boom")
		if got := <-end; got.Why != room.EndingFault || got.Status != 1 {
			t.Errorf("end = %+v, want a fault with status 1", got)
		}
		kim.sees("* lee left.\n")
		kim.enter("still talking")
		kim.sees("[kim] still talking\n")
		if got := h.Stats().Panics["ssh"]; got != 1 {
			t.Errorf("panics = %d, want 1", got)
		}
		if log := h.log.String(); !strings.Contains(log, "drawing failed") || !strings.Contains(log, "stack=") {
			t.Errorf("log = %s\nwant the panic with its stack", log)
		}
		if !strings.Contains(p.screen(), "name s-lee") {
			t.Errorf("screen = %q, want the reference", p.screen())
		}
	})
}

func TestExec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		lee := h.terminal(t, "lee")
		for _, c := range []struct {
			user, line  string
			status      int
			out, errOut string
		}{
			{"kim", "who", 0, "lee\n", ""},
			{"lee", "who", 0, "lee\n", ""},
			{"kim", "say hello  'there' /x", 0, "[kim] hello  'there' /x\n", ""},
			{"kim", "me waves", 0, "[kim] * waves\n", ""},
			{"kim", "msg lee hi", 0, "[you → lee] hi\n", ""},
			{"kim", "msg nobody hi", 1, "", "Nobody here is called nobody. /who shows who is here.\n"},
			{"kim", "say", 1, "", "Use it like this: say TEXT\n"},
			{"kim", "help nosuch", 1, "", "There is no command nosuch."},
			{"kim", "help keys", 0, "Enter  send the line\n", ""},
			{"lee", "say hello", 1, "", "Somebody here has the nickname lee"},
			{"a/b", "say hello", 1, "", "can't hold /"},
			{"kim", "frobnicate", 2, "", "There is no command frobnicate. The command help lists what there is.\n"},
			{"kim", "hlep", 2, "", "There is no command hlep. Did you mean help?\n"},
			{"kim", "nick lee2", 1, "", "You are not in the room"},
			{"kim", "", 2, "", "There is no command . The command help lists what there is.\n"},
			{"kim", "bye", 0, "", ""},
		} {
			var out, errOut strings.Builder
			status := h.Exec(t.Context(), session.Visitor{User: c.user, Session: "x"}, c.line, &out, &errOut)
			if status != c.status || out.String() != c.out || !strings.Contains(errOut.String(), c.errOut) || c.errOut == "" && errOut.Len() > 0 {
				t.Errorf("%s: %q = %d, %q, %q; want %d, %q, %q", c.user, c.line, status, out.String(), errOut.String(), c.status, c.out, c.errOut)
			}
		}
		lee.sees("[kim] hello  'there' /x\n")
		lee.seesNot("kim joined")
		lee.seesNot("kim left")
	})
}

// brokenWriter panics when it is to write.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { panic("writing failed") }

func TestPanicInACommandAloneIsToldOnStandardError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		var errOut strings.Builder
		status := h.Exec(t.Context(), session.Visitor{User: "kim", Session: "s-kim"}, "say hello", brokenWriter{}, &errOut)
		if got := errOut.String(); status != 1 || !strings.Contains(got, "name s-kim") {
			t.Errorf("status %d and stderr %q, want 1 and the reference", status, got)
		}
		if status := h.Exec(t.Context(), session.Visitor{User: "kim"}, "say hello", brokenWriter{}, brokenWriter{}); status != 1 {
			t.Errorf("status = %d where nothing can be told, want 1", status)
		}
		if got := h.Stats().Panics["ssh"]; got != 2 {
			t.Errorf("panics = %d, want 2", got)
		}
		if got := h.terminal(t, "kim").screen(); !strings.Contains(got, "Welcome, kim.") {
			t.Errorf("screen = %q, want the nickname free again", got)
		}
	})
}

func TestErrorOfAScreenEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		lee.cancel(errors.New("read: connection reset"))
		lee.ends(room.EndingLost, 1)
		kim.sees("* lee left.\n")
	})
}

func TestTimesAreShownInTheZoneOfTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which begins at midnight UTC, 2000-01-01
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		lee := h.person(t, 200, session.Visitor{User: "lee", Term: "xterm", Env: map[string]string{"TZ": ":Asia/Seoul"}})
		lee.enter("")
		lee.enter("/time short")
		lee.sees("Times are set to short.")
		kim.enter("hi")
		lee.sees("\n09:00 [kim] hi\n")
		lee.enter("/time full")
		lee.sees("Times are set to full.")
		kim.enter("again")
		lee.sees("\n2000-01-01 09:00:")
		lee.sees(" [kim] again\n")
		lee.enter("/time never")
		lee.sees("Use it like this: /time off|short|full")
		kim.sees("\n[kim] again\n")
	})
}

func TestANewDayIsMarkedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.person(t, 200, session.Visitor{User: "kim", Term: "xterm", Env: map[string]string{"TZ": "UTC"}})
		kim.enter("")
		pipe := h.person(t, 0, session.Visitor{User: "lee"})
		time.Sleep(25 * time.Hour)
		kim.enter("one")
		kim.enter("two")
		kim.sees("* 2000-01-02\n[kim] one\n[kim] two\n")
		kim.seesNot("2000-01-01")
		pipe.seesNot("2000-01-02")
	})
}

func TestBellRingsOnceForAllThatIsShownTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		lee.enter("hello everybody")
		if got := kim.rung(); got != 0 {
			t.Errorf("%d rings for a line that names nobody, want 0", got)
		}
		kim.setBehind(true)
		lee.enter("KIM, are you there?")
		lee.enter("kim!")
		time.Sleep(time.Second)
		kim.setBehind(false)
		if got := kim.rung(); got != 1 {
			t.Errorf("%d rings for two mentions that were shown together, want 1", got)
		}
		lee.enter("/msg kim psst")
		if got := kim.rung(); got != 2 {
			t.Errorf("%d rings after a direct message, want 2", got)
		}
		kim.enter("/bell off")
		kim.sees("The bell is set to off.")
		lee.enter("kim?")
		kim.enter("kim is me")
		if got := kim.rung(); got != 2 {
			t.Errorf("%d rings with the bell off, want 2 still", got)
		}
		kim.enter("/bell on")
		kim.sees("The bell is set to on.")
		lee.enter("anything")
		if got := kim.rung(); got != 3 {
			t.Errorf("%d rings with the bell on, want 3", got)
		}
	})
}

func TestTabProposesWhoSpokeLastFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		for _, n := range []string{"lara", "lea", "lee"} {
			h.terminal(t, n).enter("hi")
			time.Sleep(time.Second)
		}
		quiet := h.terminal(t, "laa")
		kim.sees("laa joined")
		start, got := kim.propose("oh l", 4)
		if want := []string{"lee ", "lea ", "lara ", "laa "}; start != 3 || !slices.Equal(got, want) {
			t.Errorf("propose = %d, %q; want 3, %q", start, got, want)
		}
		if _, got := quiet.propose("/ti", 3); !slices.Equal(got, []string{"/time "}) {
			t.Errorf("propose = %q, want the command", got)
		}
	})
}

func TestPlainMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		for _, v := range []session.Visitor{
			{User: "dumb", Term: "dumb"},
			{User: "asked", Term: "xterm", Env: map[string]string{"SARANGBANG_PLAIN": "1"}},
		} {
			p := h.person(t, 80, v)
			p.enter("")
			p.sees("Welcome")
			if !p.plain || strings.Contains(p.out.String(), "\x1b") {
				t.Errorf("%s: plain = %t, screen %q; want plain without escape sequences", v.User, p.plain, p.out.String())
			}
		}
		for _, no := range []string{"", "0", "no", "False", "off"} {
			if v := (session.Visitor{Term: "xterm", Env: map[string]string{"SARANGBANG_PLAIN": no}}); v.Plain() {
				t.Errorf("SARANGBANG_PLAIN=%s is plain, want not", no)
			}
		}
		kim := h.terminal(t, "kim")
		kim.enter("/plain on")
		kim.sees("Plain mode is on")
		if !kim.plain {
			t.Error("plain mode is off, want it on")
		}
		kim.enter("/plain off")
		kim.sees("Plain mode is off.")
		if kim.plain {
			t.Error("plain mode is on, want it off")
		}
		kim.enter("/help keys")
		kim.sees("* Enter  send the line\n")
	})
}

func TestASettingHoldsForTheVeryNextCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		p := h.person(t, 0, session.Visitor{User: "kim"})
		go func() {
			for _, line := range []string{"/time short", "/time", "/lang ko", "/help who", "/nosuch"} {
				p.enter(line)
			}
			close(p.in)
		}()
		p.ends(room.EndingLeft, 1)
		if got := p.screen(); strings.Count(got, "Times are set to short.") != 2 || !strings.Contains(got, "/who [#방]  지금 있는 사람들") {
			t.Errorf("stdout = %q, want the settings of the command before", got)
		}
		if got := p.complain.String(); !strings.Contains(got, "/nosuch 명령은 없습니다") {
			t.Errorf("stderr = %q, want it in Korean by then", got)
		}
	})
}

func TestThemes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		p := h.person(t, 80, session.Visitor{User: "lee", Term: "xterm-256color"})
		p.enter("")
		synctest.Wait()          // or kim could speak before lee is in
		drawn := func() string { // what stands before kim's newest line
			t.Helper()
			kim.enter("hi")
			p.sees("[kim] hi")
			rows := strings.Split(strings.TrimSuffix(p.out.String(), "\n"), "\n")
			before, _, _ := strings.Cut(rows[len(rows)-1], "[kim] ")
			return before
		}
		seen := map[string]string{}
		for _, c := range []struct{ theme, before string }{
			{"", "\x1b[38;5;"}, {"dark", "\x1b[38;5;"}, {"light", "\x1b[38;5;"}, {"16", "\x1b["}, {"none", ""}, {"auto", "\x1b[38;5;"},
		} {
			if c.theme != "" {
				p.enter("/theme " + strings.ToUpper(c.theme))
				p.sees("* The theme is set to " + c.theme + ".")
			}
			got := drawn()
			if !strings.HasPrefix(got, c.before) || (got == "") != (c.before == "") || c.theme == "16" && strings.HasPrefix(got, "\x1b[38;") {
				t.Errorf("theme %q: %q before the line, want it to begin with %q", c.theme, got, c.before)
			}
			if p.color != (c.before != "") {
				t.Errorf("theme %q: marks in colour = %t", c.theme, p.color)
			}
			seen[got] = c.theme
		}
		if len(seen) != 5 {
			t.Errorf("%d different colours, want 5: %q", len(seen), seen)
		}
		p.enter("/theme")
		p.enter("/theme pink")
		p.sees("Use it like this: /theme auto|dark|light|16|none")
		if got := strings.Count(p.screen(), "The theme is set to auto."); got != 2 {
			t.Errorf("the theme was told %d times, want 2", got)
		}
	})
}

func TestWhoWantsNoColourGetsNoneUntilTheyAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		p := h.person(t, 80, session.Visitor{User: "lee", Term: "xterm-256color", Env: map[string]string{"NO_COLOR": "1"}})
		p.enter("")
		synctest.Wait() // here and below: or kim could speak before the other is in
		kim.enter("lee?")
		p.enter("/theme")
		p.sees("* kim mentions you:\n[kim] lee?\n")
		p.sees("* The theme is set to none.\n")
		if got := p.out.String(); strings.Contains(got, "\x1b") || p.plain {
			t.Errorf("plain = %t, screen %q; want the line editor and no sequence in rows", p.plain, got)
		}
		p.enter("/theme auto")
		p.sees("* The theme is set to auto.\n")
		kim.enter("lee!")
		p.sees("[kim] lee!\n")
		if got := p.out.String(); !strings.Contains(got, "\x1b[7mlee\x1b[27m!") || strings.Count(got, "mentions you") != 1 {
			t.Errorf("screen %q, want the mention highlighted", got)
		}
		dumb := h.person(t, 80, session.Visitor{User: "park", Term: "dumb"})
		dumb.enter("")
		dumb.enter("/theme dark")
		dumb.sees("* The theme is set to dark.\n* In plain mode there are none.\n")
		dumb.enter("/plain off")
		dumb.sees("* Plain mode is off.\n")
		if got := dumb.out.String(); strings.Contains(got, "\x1b") {
			t.Errorf("screen %q, want no sequence for a dumb terminal", got)
		}
		pipe := h.person(t, 0, session.Visitor{User: "choi"})
		synctest.Wait()
		kim.enter("choi, lee")
		pipe.enter("/theme dark")
		pipe.sees("[kim] choi, lee\n")
		pipe.seesNot("mentions")
		if got, want := pipe.complain.String(), "* line 1: That is for terminals, and there is none here.\n"; got != want {
			t.Errorf("stderr = %q, want %q", got, want)
		}
	})
}

func TestPlainModeSaysInWordsWhatColoursTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		for nick, locale := range map[string]string{"lee": "en_US.UTF-8", "민수": "ko_KR.UTF-8"} {
			p := h.person(t, 80, session.Visitor{User: nick, Term: "dumb", Env: map[string]string{"LANG": locale}})
			p.enter("")
			time.Sleep(time.Second)
		}
		p := h.person(t, 80, session.Visitor{User: "min", Term: "xterm", Env: map[string]string{"SARANGBANG_PLAIN": "1", "LANG": "ko_KR.UTF-8"}})
		p.enter("")
		synctest.Wait() // or kim could speak before min is in
		kim.enter("min님, 민수야, lee")
		p.sees("* kim 님이 부릅니다:\n[kim] min님, 민수야, lee\n")
		p.enter("min is me")
		p.sees("[min] min is me\n")
		kim.enter("/me waves at min")
		p.sees("* kim 님이 부릅니다:\n[kim] * waves at min\n")
		kim.enter("/msg min min?")
		p.sees("[kim → 나] min?\n")
		if got := strings.Count(p.screen(), "부릅니다"); got != 2 {
			t.Errorf("%d calls told, want 2:\n%s", got, p.screen())
		}
	})
}

func TestClientMayAskForSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		p := h.person(t, 200, session.Visitor{User: "lee", Term: "xterm-256color", Env: map[string]string{
			"SARANGBANG_THEME": "light", "SARANGBANG_TIME": "Short", "SARANGBANG_BELL": "loud", "SARANGBANG_NOTIFY": "osc777",
			"SARANGBANG_LANG": "ko", "SARANGBANG_PLAIN": "off", "NO_COLOR": "1",
		}})
		p.enter("")
		for _, name := range []string{"theme", "time", "bell", "notify", "lang", "plain"} {
			p.enter("/" + name)
		}
		for _, want := range []string{"색 테마: light", "시각 표시: short", "알림음: mentions", "데스크톱 알림: osc777", "한국어로", "낭독 모드를 껐습니다"} {
			p.sees(want)
		}
	})
}

func TestNotificationIsSentOnlyIfAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		lee.enter("kim?")
		lee.enter("/msg kim psst")
		if got := kim.noted(); len(got) != 0 {
			t.Errorf("notifications %q, want none unless asked for", got)
		}
		kim.enter("/notify osc9")
		kim.sees("* Notifications are set to osc9.")
		lee.enter("hello everybody")
		lee.enter("kim; \x1b]0;x\a rm -rf")
		kim.enter("kim is me")
		time.Sleep(time.Second)
		lee.enter("/msg kim psst")
		want := []string{"9 sarangbang: lee mentioned you", "9 sarangbang: lee wrote to you"}
		if got := kim.noted(); !slices.Equal(got, want) {
			t.Errorf("notifications %q, want %q", got, want)
		}
		kim.enter("/bell off")
		kim.enter("/notify osc777")
		kim.enter("/lang ko")
		kim.sees("한국어로")
		lee.enter("kim")
		want = append(want, "777 sarangbang: lee 님이 부릅니다")
		if got := kim.noted(); !slices.Equal(got, want) {
			t.Errorf("notifications %q, want %q", got, want)
		}
		kim.enter("/notify off")
		kim.sees("데스크톱 알림: off")
		lee.enter("kim")
		if got := kim.noted(); !slices.Equal(got, want) {
			t.Errorf("notifications %q, want no more", got)
		}
	})
}

func TestABurstRingsAndNotifiesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		kim.enter("/notify osc9")
		kim.sees("osc9")
		for range 3 {
			for range 3 {
				lee.enter("kim!")
				time.Sleep(100 * time.Millisecond) // each is shown by itself
			}
			time.Sleep(3 * time.Second)
		}
		if bells, notes := kim.rung(), kim.noted(); bells != 3 || len(notes) != 3 {
			t.Errorf("%d rings and %d notifications for three bursts, want 3 and 3", bells, len(notes))
		}
	})
}

// begun enters a line whose typing began so long ago.
func (p *person) begun(ago time.Duration, line string) {
	p.in <- session.Input{Kind: session.Line, Text: line, Begun: time.Now().Add(-ago)}
}

func TestReplyGoesToNobodyWhoWroteWhileItWasTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee, park := h.terminal(t, "kim"), h.terminal(t, "lee"), h.terminal(t, "park")
		lee.enter("/msg kim how are you?")
		kim.sees("[lee → you] how are you?")
		time.Sleep(10 * time.Second)
		park.enter("/msg kim hi")
		kim.sees("[park → you] hi")
		kim.begun(5*time.Second, "/reply secret of lee")
		kim.sees("* Not sent: park wrote to you while you were typing. Send it again and it goes to park;")
		if !slices.Equal(kim.restored, []string{"/reply secret of lee"}) {
			t.Errorf("given back %q, want the line", kim.restored)
		}
		park.seesNot("secret")
		lee.seesNot("secret")
		kim.begun(0, "/reply fine")
		park.sees("[kim → you] fine")
		time.Sleep(time.Minute)
		park.enter("/msg kim and you?")
		kim.sees("[park → you] and you?")
		kim.begun(30*time.Second, "/r the same person")
		park.sees("[kim → you] the same person")
		kim.enter("/msg lee hello")
		kim.begun(0, "/reply again")
		lee.sees("[kim → you] again")
	})
}

func TestReplyBegunBeforeTheFirstDirectMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim, lee := h.terminal(t, "kim"), h.terminal(t, "lee")
		time.Sleep(time.Minute)
		lee.enter("/msg kim psst")
		kim.sees("[lee → you] psst")
		kim.begun(30*time.Second, "/reply to whom?")
		kim.sees("Not sent: lee wrote to you while you were typing.")
		lee.seesNot("to whom?")
	})
}

func TestRefusalsComeInTheLanguageChosenJustBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		h.journal.Suspend("slow") // so that all is typed before any has its turn
		kim.enter("hello")
		kim.enter("/lang ko")
		kim.enter("/nosuch")
		kim.enter("/me")
		kim.enter(strings.Repeat("x", 5000))
		kim.in <- session.Input{Kind: session.TooLong, Size: 70000, Limit: 65536}
		kim.seesNot("nosuch")
		h.journal.Resume()
		for _, want := range []string{"[kim] hello\n", "* 한국어로 보여 드립니다.", "/nosuch 명령은 없습니다", "이렇게 쓰세요: /me 행동", "5000바이트", "70000바이트"} {
			kim.sees(want)
		}
		if len(kim.restored) != 1 || len(kim.restored[0]) != 5000 {
			t.Errorf("%d texts given back, want the long one", len(kim.restored))
		}
	})
}

func TestLimitsOfAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, limits())
		kim := h.terminal(t, "kim")
		for _, c := range []struct {
			typed   string
			refused string
		}{
			{strings.Repeat("x", 4096), ""},
			{strings.Repeat("x", 4097), "your message has 4097 bytes in 1 line; at most 4096 bytes in 20 lines are possible."},
			{strings.Repeat("가", 1365) + "x", ""},
			{strings.Repeat("가", 1366), "your message has 4098 bytes in 1 line"},
			{strings.Repeat("y\n", 19) + "y", ""},
			{strings.Repeat("y\n", 20) + "y", "your message has 41 bytes in 21 lines"},
			{"/me " + strings.Repeat("z", 4096), ""},
			{"/me " + strings.Repeat("z", 4097), "your message has 4097 bytes in 1 line"},
		} {
			before := len(kim.restored)
			was := kim.screen()
			kim.enter(c.typed)
			kim.sees(c.refused)
			got, isRefused := strings.TrimPrefix(kim.screen(), was), c.refused != ""
			if strings.Contains(got, "[kim] ") == isRefused {
				t.Errorf("%d bytes: screen %.100q, want refused = %t", len(c.typed), got, isRefused)
			}
			if back := kim.restored[before:]; isRefused && !slices.Equal(back, []string{c.typed}) || !isRefused && len(back) > 0 {
				t.Errorf("%d bytes: %d texts given back, want refused = %t", len(c.typed), len(back), isRefused)
			}
			time.Sleep(10 * time.Second)
		}
	})
}
