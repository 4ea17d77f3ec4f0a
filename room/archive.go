package room

import (
	"context"
	"errors"
	"time"
)

// Archive is what the house can look up beyond its rings. A journal that keeps its records is one too. Its methods may be called
// from any goroutine; they wait for the disk, never for a commit.
type Archive interface {
	// Snapshot returns what the rules need to go on from, and the place where a Tail goes on. It is called before anything is
	// appended.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Lines returns the oldest q.N lines that q asks for, oldest first: what people said and did in a room, as everybody saw it.
	Lines(ctx context.Context, q LineQuery) ([]*Event, error)
	// Back returns the place of the oldest among the newest q.N of these lines, and how many they are; (0, 0) for none.
	Back(ctx context.Context, q LineQuery) (from Seq, n int, err error)
	// Search returns the newest q.N lines that match, newest first, or one of the errors about searches below. It waits for some
	// seconds at most.
	Search(ctx context.Context, q SearchQuery) ([]*Event, error)
	// Told returns the oldest n direct messages to the person in places after < Seq <= upTo, oldest first.
	Told(ctx context.Context, to PersonID, after, upTo Seq, n int) ([]*Event, error)
	// Kept counts the direct messages to the person after a place: from one sender, and in all.
	Kept(ctx context.Context, from, to PersonID, after Seq) (sender, all int, err error)
	// Places returns how far the owner of an account has read, by what they read.
	Places(ctx context.Context, account PersonID) ([]Place, error)
	// SavePlaces replaces places, all or none. It waits for the next commit.
	SavePlaces(ctx context.Context, places []Place) error
	// Sightings returns all that was saved of who was here lately.
	Sightings(ctx context.Context) ([]Sighting, error)
	// SaveSightings replaces what is known of people, and forgets everything that is older than a time. It waits for the next commit.
	SaveSightings(ctx context.Context, people map[PersonID][]Sighting, since time.Time) error
	// Acts returns the newest q.N records that q asks for of what was done to rooms and to keep order, newest first.
	Acts(ctx context.Context, q ActQuery) ([]*Event, error)
	// Find returns the lines and the struck lines of a room whose IDs begin so, at most n of them.
	Find(ctx context.Context, room Subject, id string, n int) ([]*Event, error)
	// Holdings counts what is stored of a person.
	Holdings(ctx context.Context, who PersonID) (Holdings, error)
}

// Why a search is not answered.
var (
	ErrNoWords     = errors.New("nothing to search for")
	ErrManyWords   = errors.New("too many words to search for at once")
	ErrSearchLong  = errors.New("the search took too long")
	ErrSearchQueue = errors.New("too many are searching")
)

// MaxSearchWords bounds the different words of a search. A character of Hangul, kana or Han counts like a word of other scripts.
const MaxSearchWords = 32

// LineQuery asks for lines of one room. A zero field asks for no bound.
type LineQuery struct {
	Room   Subject
	From   Seq       // the oldest place
	Before Seq       // the place behind the newest
	Until  time.Time // lines committed before it
	N      int       // how many at most; required
}

// SearchQuery asks for lines by their words. A zero field asks for no bound.
type SearchQuery struct {
	// Words are all in the line, in any order; Hangul, kana and Han anywhere in a word, other scripts from its beginning, but a single
	// letter only as a word.
	Words  string
	Author string    // the case key of a nickname (the first of a Claim's Names): what was said under it
	Room   Subject   // required
	From   Seq       // the oldest place
	Since  time.Time // lines committed at it or later
	Before Seq       // the place behind the newest
	N      int       // how many at most; required
	By     string    // who asks, by whatever tells them from others: they have one search at a time
}

// ActQuery asks for what was done to rooms and to keep order. A zero field asks for no bound.
type ActQuery struct {
	Where  Subject // a room, or HouseSubject
	Before Seq
	Since  time.Time
	N      int // how many at most; required
}

// Place is how far the owner of an account has read a room, or their direct messages.
type Place struct {
	Account PersonID
	Of      Subject
	// Seen is the place up to which everything has certainly been on their screen: their client answered after it.
	Seen Seq
	// Sent is the place up to which something may have been: it was sent to their client. At least Seen.
	Sent Seq
	// Open says that they were reading when this was saved. Where it is found open at a start, the process has ended without knowing
	// what it had sent: everything committed by then may have been, so the archive moves Sent there and closes it.
	Open bool
}

// Holdings is how much is stored of a person.
type Holdings struct {
	Lines    int // said and done in rooms, struck ones left out
	Sent     int // direct messages by them
	Received int // direct messages to them
	Bytes    int64
}
