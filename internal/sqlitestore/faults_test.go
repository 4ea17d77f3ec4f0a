package sqlitestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sarangbang/internal/sqlitestore"
	"sarangbang/room"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// try appends what somebody does.
func (h *house) try(from room.Person, b room.Body) error {
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	defer cancel()
	_, err := h.Append(ctx, room.Encode(from, room.Lobby, b))
	return err
}

// refuses says that nothing can be saved, but people can come and go, and read.
func (h *house) refuses(kim room.Person, want error, texts ...string) {
	h.Helper()
	for _, text := range texts {
		if err := h.try(kim, room.Said{Text: room.Sentence(text)}); !errors.Is(err, want) {
			h.Errorf("Append of %q = %v, want %v", text, err, want)
		}
	}
	if err := h.try(kim, room.Joined{Screen: room.ScreenID(texts[0]), Names: names(kim.Nick)}); err != nil {
		h.Errorf("Append of a join while nothing can be saved = %v, want no error", err)
	}
	if err := h.try(kim, room.Parted{Screen: room.ScreenID(texts[0])}); err != nil {
		h.Errorf("Append of a leave while nothing can be saved = %v, want no error", err)
	}
	if _, err := h.Lines(h.Context(), room.LineQuery{Room: room.Lobby, N: 10}); err != nil {
		h.Errorf("Lines while nothing can be saved = %v, want no error", err)
	}
}

// state waits for the store to tell whether it can save, and why not.
func (h *house) state(connected bool) (reason string) {
	h.Helper()
	late := time.After(patience)
	for {
		select {
		case s := <-h.Status():
			if s.Connected == connected {
				return s.Reason
			}
		case <-late:
			h.Fatalf("Status did not tell Connected = %v within %v", connected, patience)
		}
	}
}

func TestALockedDatabaseIsUnavailableForAWhile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	kim := h.come("kim", "")
	h.say(kim, "before")
	release := lock(t, h.Path())
	h.refuses(kim, room.ErrUnavailable, "one", "two")
	if reason := h.state(false); !strings.Contains(reason, h.Path()) || !strings.Contains(reason, "locked") {
		t.Errorf("Status gives the reason %q, want that %s is locked", reason, h.Path())
	}
	release()
	h.state(true) // by itself: nothing is appended meanwhile
	h.say(kim, "after")
	h.lines("what was saved", room.LineQuery{}, "kim: before", "kim: after")
}

func TestAReserveOfTheDiskIsLeftAlone(t *testing.T) {
	path := newPath(t)
	furnished(t, path)
	opt := quiet
	opt.DiskReserve = 1 << 62
	s, err := sqlitestore.Open(path, opt)
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	h := &house{t, s}
	h.refuses(h.come("kim", ""), room.ErrNotSaved, "one", "two")
	if reason := h.state(false); !strings.Contains(reason, h.Path()) || !strings.Contains(reason, "reserve") {
		t.Errorf("Status gives the reason %q, want the reserve and %s", reason, h.Path())
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v, want no error", err)
	}
}

// Nobody has to lose a line before the house is known to be unwell.
func TestWhatIsAmissWithTheDiskIsNoticedWhileNobodyWrites(t *testing.T) {
	t.Parallel()
	s, err := sqlitestore.Open(newPath(t), sqlitestore.Options{Logger: quiet.Logger, DiskReserve: 1 << 62})
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	full := &house{t, s}
	if reason := full.state(false); !strings.Contains(reason, "reserve") {
		t.Errorf("Status from the start gives the reason %q, want the reserve", reason)
	}
	full.closed()

	h := newHouse(t)
	h.state(true)
	if err := os.Rename(h.Path(), h.Path()+".moved"); err != nil {
		t.Fatal(err)
	}
	if reason := h.state(false); !strings.Contains(reason, "moved") {
		t.Errorf("Status later gives the reason %q, want that the database was moved", reason)
	}
	if err := os.Rename(h.Path()+".moved", h.Path()); err != nil {
		t.Fatal(err)
	}
	h.state(true)
}

// An account is erased when the disk fills: what remains to be forgotten waits, and whoever waits for it is told so.
func TestForgettingEndsWhereNoSpaceIsLeft(t *testing.T) {
	t.Parallel()
	if os.Getenv(childArgument) == "" {
		out, err := child(t, "yes").CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	h := newHouse(t)
	kim := h.come("kim", "SHA256:kim")
	var recs []room.Record
	for i := range 1000 {
		recs = append(recs, room.Encode(kim, room.Lobby, room.Said{Text: room.Sentence(fmt.Sprintf("one of many lines, number %d", i))}))
	}
	if _, err := h.Append(t.Context(), recs...); err != nil {
		t.Fatalf("Append = %v, want no error", err)
	}
	path := h.closed()
	execute(t, path, `INSERT INTO striking VALUES ('`+string(kim.ID)+`', 100000)`)
	limitFiles(t, 100_000) // enough for a start
	log := new(strings.Builder)
	s, err := sqlitestore.Open(path, sqlitestore.Options{Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Forget(ctx); err == nil || !strings.HasPrefix(err.Error(), "no more can be written to "+path) {
		t.Errorf("Forget without space = %v, want a sentence that says so", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v, want no error", err)
	}
	if n := strings.Count(log.String(), "\n"); n > 20 {
		t.Errorf("it was logged %d times: %s", n, log)
	}
	limitFiles(t, ^uint64(0))
	again := &house{t, openStore(t, path)}
	if err := again.Forget(t.Context()); err != nil {
		t.Errorf("Forget with space again = %v, want no error", err)
	}
	again.closed()
	wantFile(t, path, nil, []string{"sha256:kim"})
}

// What was removed cannot be wiped from the file: whoever waits for it is told so, once it was tried, and it is done later.
func TestForgettingEndsWhereScrubbingFails(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	path := h.closed()
	execute(t, path, `INSERT INTO meta VALUES ('residue', 1)`)
	execute(t, path, `CREATE TRIGGER stubborn BEFORE DELETE ON meta WHEN old.name = 'residue' BEGIN SELECT raise(ABORT, 'not yet'); END`)
	s, err := sqlitestore.Open(path, sqlitestore.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("Open = %v, want no error", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Forget(ctx); err == nil || !strings.Contains(err.Error(), "not yet") {
		t.Errorf("Forget where scrubbing fails = %v, want what it fails with", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v, want no error", err)
	}
	execute(t, path, `DROP TRIGGER stubborn`)
	again := openStore(t, path)
	if err := again.Forget(t.Context()); err != nil {
		t.Errorf("Forget where it succeeds again = %v, want no error", err)
	}
}

// All is well only when as much can be saved as could not be.
func TestRoomForLessThanWasNotSavedIsNone(t *testing.T) {
	t.Parallel()
	if os.Getenv(childArgument) == "" {
		out, err := child(t, "yes").CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	h := newHouse(t)
	kim := h.come("kim", "")
	h.state(true)
	limitFiles(t, 2<<20)
	var recs []room.Record
	for i := range 2000 {
		recs = append(recs, room.Encode(kim, room.Lobby, room.Said{Text: room.Sentence(fmt.Sprint(i, strings.Repeat(" word", 200)))}))
	}
	if _, err := h.Append(t.Context(), recs...); !errors.Is(err, room.ErrNotSaved) {
		t.Fatalf("Append of more than there is room for = %v, want %v", err, room.ErrNotSaved)
	}
	h.state(false)
	h.say(kim, "for a line there is room")
	late := time.After(2500 * time.Millisecond)
	select {
	case s := <-h.Status():
		t.Errorf("Status tells %+v while there is room for less than was not saved, want nothing", s)
	case <-late:
	}
	limitFiles(t, ^uint64(0))
	h.state(true)
	if _, err := h.Append(t.Context(), recs...); err != nil {
		t.Errorf("Append with room = %v, want no error", err)
	}
	h.closed()
}

func TestADatabaseThatWasMovedAwayIsNotWrittenTo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	kim := h.come("kim", "")
	if err := os.Rename(h.Path(), h.Path()+".moved"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); h.try(kim, room.Emoted{Text: room.Sentence("waits")}) == nil; {
		if time.Now().After(deadline) {
			t.Fatalf("a database that is not there was written to for %v", patience)
		}
	}
	if err := h.try(kim, room.Said{Text: room.Sentence("one")}); !errors.Is(err, room.ErrNotSaved) {
		t.Errorf("Append = %v, want %v", err, room.ErrNotSaved)
	}
	h.state(false)
	if err := os.WriteFile(h.Path(), []byte("another file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.try(kim, room.Said{Text: room.Sentence("one")}); !errors.Is(err, room.ErrNotSaved) {
		t.Errorf("Append while another file is there = %v, want %v", err, room.ErrNotSaved)
	}
	if err := os.Rename(h.Path()+".moved", h.Path()); err != nil {
		t.Fatal(err)
	}
	h.state(true)
	h.say(kim, "after")
	events, err := h.Lines(t.Context(), room.LineQuery{Room: room.Lobby, From: 1, N: 1 << 20})
	if lines := told(events); err != nil || lines[len(lines)-1] != "kim: after" || slices.Contains(lines, "kim: one") {
		t.Errorf("Lines = %q, %v; want the newest to be the one after, and none that was refused", lines, err)
	}
}

func TestOneThatCannotBeSavedTakesNobodyWithIt(t *testing.T) {
	h := newHouse(t)
	kim := h.come("kim", "")
	before, err := h.Head(t.Context())
	if err != nil {
		t.Fatalf("Head = %v, want no error", err)
	}
	others, bad := make(chan error, 10), make(chan error, 1)
	h.Gather(cap(others)+1, func() {
		for i := range cap(others) {
			var does room.Body = room.Said{Text: room.Sentence("with it")}
			if i%2 == 1 {
				does = room.Joined{Screen: room.ScreenID(strconv.Itoa(i)), Names: names("kim")}
			}
			go func() { others <- h.try(kim, does) }()
		}
		h.AwaitWaiting(cap(others))
		go func() { bad <- h.SubmitBad() }()
	})
	for range cap(others) {
		if err := <-others; err != nil {
			t.Errorf("Append beside one that cannot be saved = %v, want no error", err)
		}
	}
	if err := <-bad; !errors.Is(err, room.ErrNotSaved) {
		t.Errorf("the one that cannot be saved got %v, want %v", err, room.ErrNotSaved)
	}
	if _, n, err := h.Back(t.Context(), room.LineQuery{Room: room.Lobby, N: 100}); n != cap(others)/2 || err != nil {
		t.Errorf("there are %d lines, %v; want %d", n, err, cap(others)/2)
	}
	came := 0
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err = h.Tail(ctx, before, func(batch []room.Committed) error {
		if came += len(batch); came >= cap(others) {
			return io.EOF
		}
		return nil
	})
	if came != cap(others) || !errors.Is(err, io.EOF) {
		t.Errorf("Tail gave %d records and %v, want the %d that were saved", came, err, cap(others))
	}
	select {
	case s := <-h.Status():
		if !s.Connected {
			t.Errorf("Status = %+v, want that the disk is well", s)
		}
	default:
	}
}

func TestPlacesEndWithWhatIsReserved(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	kim := h.come("kim", "")
	h.Reserve(3)
	release := lock(t, h.Path())
	for i := range 5 {
		err := h.try(kim, room.Joined{Screen: room.ScreenID(strconv.Itoa(i))})
		if want := i >= 3; want != errors.Is(err, room.ErrUnavailable) || !want && err != nil {
			t.Errorf("Append %d with 3 places left = %v, want an error: %v", i, err, want)
		}
	}
	release()
	h.state(true)
	for i := range 5 {
		if err := h.try(kim, room.Parted{Screen: room.ScreenID(strconv.Itoa(i))}); err != nil {
			t.Errorf("Append with places again = %v, want no error", err)
		}
	}
}

// child runs this test again in a process of its own, which finds an argument in the environment.
func child(t *testing.T, argument string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), childArgument+"="+argument)
	return cmd
}

const childArgument = "SQLITESTORE_TEST_CHILD"

// TestFullDisk fills a disk: the process may make no file longer than a limit, which is lifted later.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getenv(childArgument) == "" {
		out, err := child(t, "yes").CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	h := newHouse(t)
	kim := h.come("kim", "SHA256:kim")
	h.state(true)
	saved := []string{}
	for i := range 20 {
		saved = append(saved, fmt.Sprintf("kim: %d", i))
		h.say(kim, strconv.Itoa(i))
	}
	info, err := os.Stat(h.Path() + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		limitFiles(t, uint64(info.Size()+4096*int64(round)+100))
		for i := 0; ; i++ { // what fits is saved, and then nothing
			text := fmt.Sprintf("round %d, %d", round, i)
			err := h.try(kim, room.Said{Text: room.Sentence(text)})
			if errors.Is(err, room.ErrNotSaved) {
				break
			}
			if err != nil || i > 1000 {
				t.Fatalf("Append number %d on a full disk = %v, want %v", i, err, room.ErrNotSaved)
			}
			saved = append(saved, "kim: "+text)
		}
		limitFiles(t, 8192) // no commit is as short as that, wherever it begins
		h.refuses(kim, room.ErrNotSaved, "refused", "refused again")
		if err := h.try(kim, room.Registered{Names: names("kim")}); !errors.Is(err, room.ErrNotSaved) && round == 0 {
			t.Errorf("Append of an account on a full disk = %v, want %v", err, room.ErrNotSaved)
		}
		if reason := h.state(false); !strings.Contains(reason, "no more can be written to "+h.Path()) {
			t.Errorf("Status gives the reason %q, want that no more can be written to %s", reason, h.Path())
		}
		newcomer := h.come(room.Nick(fmt.Sprintf("lee%d", round)), fmt.Sprintf("SHA256:lee%d", round))
		if err := h.try(newcomer, room.Said{Text: room.Sentence("refused")}); !errors.Is(err, room.ErrNotSaved) {
			t.Errorf("Append of a newcomer's line on a full disk = %v, want %v", err, room.ErrNotSaved)
		}
		limitFiles(t, ^uint64(0))
		h.state(true) // by itself
		h.say(newcomer, "hello")
		saved = append(saved, string(newcomer.Nick)+": hello")
		h.finds(room.SearchQuery{Author: "case:" + string(newcomer.Nick)}, saved[len(saved)-1])
		if holdings, err := h.Holdings(t.Context(), newcomer.ID); holdings.Lines != 1 || err != nil {
			t.Errorf("Holdings of a newcomer = %+v, %v; want one line", holdings, err)
		}
		if round == 0 {
			// Had the rules kept what was taken back, they would find it repeated now.
			h.post(kim, room.Registered{Names: names("kim")})
			if s, err := h.Snapshot(t.Context()); len(s.Accounts) != 1 || err != nil {
				t.Errorf("after registering again there are %d accounts, %v; want 1", len(s.Accounts), err)
			}
		}
		saved = append(saved, "kim: after")
		h.say(kim, "after")
		if info, err = os.Stat(h.Path() + "-wal"); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		h.lines("what was saved", room.LineQuery{N: 10000}, saved...)
		h.reopen()
	}
}

func TestAStartOnAFullDiskSaysSo(t *testing.T) {
	t.Parallel()
	if os.Getenv(childArgument) == "" {
		out, err := child(t, "yes").CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	h := newHouse(t)
	kim := h.come("kim", "")
	h.say(kim, "hello")
	for range 20 { // so that the log beside the database is longer than the shared memory, and every commit has to make it longer still
		h.say(kim, strings.Repeat("a long line ", 300))
	}
	path := newPath(t)
	h.Crash(t, path)
	for _, size := range []uint64{100, 33_000} { // for nothing, and for the shared memory only
		limitFiles(t, size)
		s, err := sqlitestore.Open(path, quiet)
		limitFiles(t, ^uint64(0))
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "make room") {
			t.Errorf("Open with room for %d bytes = %v, want a sentence that says to make room", size, err)
		}
	}
	h = &house{t, openStore(t, path)}
	h.lines("with room again", room.LineQuery{Before: 3}, "kim: hello")
}

// limitFiles bounds the length of the files that this process writes.
func limitFiles(t *testing.T, size uint64) {
	t.Helper()
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit)
	if limit.Cur = min(size, limit.Max); err == nil {
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	}
	if err != nil {
		t.Fatalf("limit the length of files: %v", err)
	}
}

// TestKillAmidPosting kills a process again and again while many post to it.
func TestKillAmidPosting(t *testing.T) {
	if path := os.Getenv(childArgument); path != "" {
		postForEver(t, path)
		return
	}
	const rounds, acks = 6, 60
	path := newPath(t)
	saved := map[string]room.Seq{} // what was acknowledged, by its text
	for range rounds {
		cmd := child(t, path)
		pipe, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatalf("start a process: %v", err)
		}
		out := bufio.NewScanner(pipe)
		for n := 0; out.Scan(); {
			var seq room.Seq
			var text string
			if _, err := fmt.Sscanf(out.Text(), "acknowledged %d %s", &seq, &text); err != nil {
				continue
			}
			saved[text] = seq
			if n++; n == acks {
				_ = cmd.Process.Kill() // it may have ended, which the next line tells
			}
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("the process ended by itself: %v", err)
		}
	}
	if len(saved) < rounds*acks {
		t.Fatalf("%d lines were acknowledged, want %d at least", len(saved), rounds*acks)
	}
	h := &house{t, openStore(t, path)}
	events, err := h.Lines(t.Context(), room.LineQuery{Room: room.Lobby, N: 1 << 20})
	if err != nil {
		t.Fatalf("Lines = %v, want no error", err)
	}
	last := map[string]int{} // the number of each author's last line
	for _, e := range events {
		text := e.Body.(room.Said).Text.String()
		if seq, acked := saved[text]; acked && seq != e.Seq {
			t.Errorf("%s is at %d, and was acknowledged at %d", text, e.Seq, seq)
		}
		delete(saved, text)
		author, number, _ := strings.Cut(text, "/")
		n, err := strconv.Atoi(number)
		if want := last[author] + 1; err != nil || n != want {
			t.Errorf("%s comes where its author's line %d should", text, want)
		}
		last[author] = n
	}
	if len(saved) > 0 {
		t.Errorf("%d acknowledged lines are lost: %v", len(saved), saved)
	}
}

// postForEver posts as many people at once and prints what was acknowledged, until the process is killed.
func postForEver(t *testing.T, path string) {
	t.Helper()
	h := &house{t, openStore(t, path)}
	for who := range 8 {
		kim := h.come(room.Nick(fmt.Sprintf("kim%d", who)), "")
		go func() {
			author := fmt.Sprintf("%d-%d", os.Getpid(), who)
			for n := 1; ; n++ {
				text := fmt.Sprintf("%s/%d", author, n)
				seqs, err := h.Append(context.Background(), room.Encode(kim, room.Lobby, room.Said{Text: room.Sentence(text)}))
				if err != nil {
					return
				}
				_, _ = io.WriteString(os.Stdout, fmt.Sprintf("acknowledged %d %s\n", seqs[0], text))
			}
		}()
	}
	<-t.Context().Done()
}
