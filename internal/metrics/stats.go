package metrics

import "time"

// Stats are the figures of the house at one moment. Counters count since the start.
type Stats struct {
	Doors map[string]Door // by protocol: ssh, tcp

	Rooms int // with people in them or not
	Bars  int // bans and mutes in force

	Lines   uint64            // messages that were committed and took effect
	Voided  map[string]uint64 // committed records without effect, by reason
	Refused map[string]uint64 // what people wanted and did not get, by reason

	JournalDegraded string // why lines cannot be saved, in a sentence; empty while they can

	Commit   Histogram // from a line's posting to its commit
	Delivery Histogram // from a line's commit to a reader's screen

	Gaps   uint64 // times that a reader was told about skipped lines
	Missed uint64 // lines skipped in these gaps
}

// A Door is where people come in.
type Door struct {
	People, Screens int // in the house now, by this door

	Connections     int               // open now
	Unauthenticated int               // of these, of people not known yet
	Admitted        uint64            // connections let in
	Refused         map[string]uint64 // and turned away, by reason
	Unlogged        uint64            // log lines withheld because one address caused too many

	Panics uint64 // recovered; each ended one connection or session
}

// A Histogram counts durations in buckets.
type Histogram struct {
	Bounds []time.Duration // upper bounds, rising
	Counts []uint64        // in each bucket alone; the last one, after all bounds, holds the rest
	Sum    time.Duration
}
