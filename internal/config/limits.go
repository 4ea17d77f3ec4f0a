package config

import (
	"fmt"
	"net/netip"
	"time"
)

// Limits are the [limits] table of the TOML file. What each one bounds and what happens beyond it stands in limitKeys and
// in docs/CONFIG.md; addresses count as /32 (IPv4, also when mapped) or /64 (IPv6).
//
// A limit comes with the feature that it bounds. Not here yet, and so unknown keys: link_bytes,
// passphrase_tries_per_minute.
type Limits struct {
	// Exempt lists those for whom the limits counted by address, key or person do not hold. Nobody by default, not even
	// this machine: that would hide these limits from every test made on it. Compare with unmapped addresses.
	Exempt []netip.Prefix

	// Connections, each door for itself.
	ConnectionsTotal            int
	ConnectionsPerAddress       int
	ConnectsPerMinutePerAddress int
	ConnectsBurstPerAddress     int
	TCPWaitingForNick           int

	// Before anybody is known.
	UnauthenticatedStart      int
	UnauthenticatedPercent    int
	UnauthenticatedFull       int
	UnauthenticatedPerAddress int
	HandshakesPerCore         int
	HandshakeWait             time.Duration
	VersionTimeout            time.Duration
	LoginTimeout              time.Duration
	InputBurstBytes           int
	InputBytesPerSecond       int
	AuthTries                 int

	// Penalties add up per address.
	PenaltyAuthFailure  time.Duration
	PenaltyNoAuth       time.Duration
	PenaltyLoginTimeout time.Duration
	PenaltyRefused      time.Duration
	PenaltyCrash        time.Duration
	PenaltyThreshold    time.Duration
	PenaltyMax          time.Duration
	PenaltyAddresses    int

	// Sessions, and what clients ask for in them.
	SessionsPerConnection int
	SessionOpensPerMinute int
	RefusedChannels       int
	SessionsPerKey        int
	SessionsPerAddress    int
	RequestsPerSecond     int
	EnvVars               int
	EnvBytes              int
	TermNameBytes         int
	CommandBytes          int
	ColumnsMin            int
	ColumnsMax            int
	RowsMin               int
	RowsMax               int
	RedrawsPerSecond      int

	// Names and text.
	NickCells      int
	NickGraphemes  int
	NickBytes      int
	NickTimeout    time.Duration
	NickHold       time.Duration
	ResumeWindow   time.Duration
	MessageBytes   int
	MessageLines   int
	BacklogLines   int
	PasteBytes     int
	EscapeBytes    int
	CombiningMarks int

	// Rates of one person, and what a session may hold.
	MessageBurst         int
	MessagesPerSecond    int
	MessageDelay         time.Duration
	RefusalsPer10s       int
	NickChangesPerMinute int
	JoinsPerMinute       int
	NewPeoplePerMinute   int
	RoomRingLines        int
	OutputBufferBytes    int
	OutboxLines          int
	OutboxWait           time.Duration
	CommitBatchLines     int
	DiskReserveBytes     int

	// Rooms.
	RoomsTotal     int
	RoomsPerPerson int
	RoomKeep       time.Duration

	// When things end, and the machine.
	WriteStall                  time.Duration
	KeepaliveInterval           time.Duration
	TCPKeepalive                time.Duration
	IdleTimeout                 time.Duration
	ShutdownTimeout             time.Duration
	MemoryShedPercent           int
	FDReserve                   int
	LoggedBytes                 int
	LogLinesPerSecondPerAddress int

	totalIsDefault bool // connections_total is nobody's choice
}

// limitKeys are the rows of the [limits] table.
func limitKeys() []key {
	return []key{
		{
			name: "limits.exempt", byDefault: []any{},
			accepts: `a list of networks or addresses, such as ["127.0.0.0/8"]`,
			doc:     "for these the limits marked so do not hold",
			access:  list(parseNetwork, netip.Prefix.String, func(s *Settings) *[]netip.Prefix { return &s.Limits.Exempt }),
		},

		whole("connections_total", 12000, 1, 1_000_000, func(l *Limits) *int { return &l.ConnectionsTotal },
			"closed at accept, on the TCP door with a reset; the default is less where fewer files may be open"),
		exempted(whole("connections_per_address", 64, 1, 1_000_000, func(l *Limits) *int { return &l.ConnectionsPerAddress },
			"closed at accept")),
		exempted(whole("connects_per_minute_per_address", 30, 1, 1_000_000, func(l *Limits) *int { return &l.ConnectsPerMinutePerAddress },
			"closed at accept once the burst is used up")),
		exempted(whole("connects_burst_per_address", 64, 1, 1_000_000, func(l *Limits) *int { return &l.ConnectsBurstPerAddress },
			"as many at once before connects_per_minute_per_address counts")),
		whole("tcp_waiting_for_nick", 256, 1, 1_000_000, func(l *Limits) *int { return &l.TCPWaitingForNick },
			"the newest connection without a nickname is reset"),

		whole("unauthenticated_start", 64, 1, 1_000_000, func(l *Limits) *int { return &l.UnauthenticatedStart },
			"unauthenticated_percent of the new connections are dropped at random"),
		whole("unauthenticated_percent", 30, 1, 100, func(l *Limits) *int { return &l.UnauthenticatedPercent },
			"share that is dropped at first; it rises to all at unauthenticated_full"),
		whole("unauthenticated_full", 256, 1, 1_000_000, func(l *Limits) *int { return &l.UnauthenticatedFull },
			"every new connection is dropped"),
		exempted(whole("unauthenticated_per_address", 32, 1, 1_000_000, func(l *Limits) *int { return &l.UnauthenticatedPerAddress },
			"closed")),
		whole("handshakes_per_core", 4, 1, 1024, func(l *Limits) *int { return &l.HandshakesPerCore },
			"a key exchange waits for a free slot; none is held while a peer is silent"),
		span("handshake_wait", 5*time.Second, 0, time.Minute, func(l *Limits) *time.Duration { return &l.HandshakeWait },
			"a key exchange that found no slot is closed"),
		span("version_timeout", 10*time.Second, 100*time.Millisecond, time.Hour, func(l *Limits) *time.Duration { return &l.VersionTimeout },
			"a connection that has not sent its version line is closed"),
		span("login_timeout", 30*time.Second, 100*time.Millisecond, time.Hour, func(l *Limits) *time.Duration { return &l.LoginTimeout },
			"a connection without a session is closed, counted from accept"),
		exempted(whole("input_burst_bytes", 512<<10, 4<<10, 1<<30, func(l *Limits) *int { return &l.InputBurstBytes },
			"an SSH connection is read at input_bytes_per_second")),
		exempted(whole("input_bytes_per_second", 64<<10, 1<<10, 1<<30, func(l *Limits) *int { return &l.InputBytesPerSecond },
			"an SSH connection is read more slowly")),
		whole("auth_tries", 6, 1, 100, func(l *Limits) *int { return &l.AuthTries },
			`"too many authentication failures", closed`),

		exempted(span("penalty_auth_failure", 5*time.Second, 0, 24*time.Hour, func(l *Limits) *time.Duration { return &l.PenaltyAuthFailure },
			"added for a failed login")),
		exempted(span("penalty_no_auth", time.Second, 0, 24*time.Hour, func(l *Limits) *time.Duration { return &l.PenaltyNoAuth },
			"added for leaving before a login was tried")),
		exempted(span("penalty_login_timeout", time.Second, 0, 24*time.Hour, func(l *Limits) *time.Duration { return &l.PenaltyLoginTimeout },
			"added for reaching login_timeout")),
		exempted(span("penalty_refused", 10*time.Second, 0, 24*time.Hour, func(l *Limits) *time.Duration { return &l.PenaltyRefused },
			"added when a banned key or address knocks")),
		exempted(span("penalty_crash", 90*time.Second, 0, 24*time.Hour, func(l *Limits) *time.Duration { return &l.PenaltyCrash },
			"added when a connection ends in a fault of ours")),
		exempted(span("penalty_threshold", 15*time.Second, time.Millisecond, 24*time.Hour, func(l *Limits) *time.Duration { return &l.PenaltyThreshold },
			"new connections are closed until the sum has run out; live sessions are never touched")),
		exempted(span("penalty_max", 10*time.Minute, time.Millisecond, 24*time.Hour, func(l *Limits) *time.Duration { return &l.PenaltyMax },
			"the sum does not grow further")),
		whole("penalty_addresses", 1<<16, 1, 10_000_000, func(l *Limits) *int { return &l.PenaltyAddresses },
			"newcomers go without penalties"),

		whole("sessions_per_connection", 4, 1, 1024, func(l *Limits) *int { return &l.SessionsPerConnection },
			"channel refused"),
		whole("session_opens_per_minute", 20, 1, 1_000_000, func(l *Limits) *int { return &l.SessionOpensPerMinute },
			"channel refused; counted per connection"),
		whole("refused_channels", 50, 1, 1_000_000, func(l *Limits) *int { return &l.RefusedChannels },
			"connection closed"),
		exempted(whole("sessions_per_key", 8, 1, 1_000_000, func(l *Limits) *int { return &l.SessionsPerKey },
			"a sentence, exit status 1")),
		exempted(whole("sessions_per_address", 64, 1, 1_000_000, func(l *Limits) *int { return &l.SessionsPerAddress },
			"a sentence, exit status 1")),
		whole("requests_per_second", 64, 1, 1_000_000, func(l *Limits) *int { return &l.RequestsPerSecond },
			"connection closed; window changes are not counted"),
		whole("env_vars", 32, 0, 1024, func(l *Limits) *int { return &l.EnvVars },
			"the variable is refused"),
		whole("env_bytes", 4<<10, 0, 64<<10, func(l *Limits) *int { return &l.EnvBytes },
			"the variable is refused"),
		whole("term_name_bytes", 64, 1, 1024, func(l *Limits) *int { return &l.TermNameBytes },
			"terminal refused"),
		whole("command_bytes", 4<<10, 16, 32<<10, func(l *Limits) *int { return &l.CommandBytes },
			"command refused"),
		whole("columns_min", 12, 12, 1000, func(l *Limits) *int { return &l.ColumnsMin },
			"a narrower window is drawn as if it had these; 0 counts as 80"),
		whole("columns_max", 500, 12, 1000, func(l *Limits) *int { return &l.ColumnsMax },
			"of a wider window only these are used"),
		whole("rows_min", 4, 4, 500, func(l *Limits) *int { return &l.RowsMin },
			"a lower window is drawn as if it had these; 0 counts as 24"),
		whole("rows_max", 200, 4, 500, func(l *Limits) *int { return &l.RowsMax },
			"of a higher window only these are used"),
		whole("redraws_per_second", 10, 1, 100, func(l *Limits) *int { return &l.RedrawsPerSecond },
			"of several new sizes the newest is drawn"),

		whole("nick_cells", 20, 2, 64, func(l *Limits) *int { return &l.NickCells },
			"refused with the reason, asked again; a Hangul syllable takes 2 cells"),
		whole("nick_graphemes", 20, 1, 64, func(l *Limits) *int { return &l.NickGraphemes },
			"refused with the reason, asked again"),
		whole("nick_bytes", 64, 4, 255, func(l *Limits) *int { return &l.NickBytes },
			"refused with the reason, asked again"),
		span("nick_timeout", 10*time.Minute, 100*time.Millisecond, 24*time.Hour, func(l *Limits) *time.Duration { return &l.NickTimeout },
			"told, session ends; on the TCP door reset"),
		span("nick_hold", 24*time.Hour, 0, 365*24*time.Hour, func(l *Limits) *time.Duration { return &l.NickHold },
			"time after which the nickname of an erased account is free again; until then nobody can wear it"),
		span("resume_window", time.Minute, 0, time.Hour, func(l *Limits) *time.Duration { return &l.ResumeWindow },
			`the leave of an account's owner whose connection broke is told to the room; "0s" is at once`),
		whole("message_bytes", 4<<10, 1, 64<<10, func(l *Limits) *int { return &l.MessageBytes },
			"refused whole, with both sizes named"),
		whole("message_lines", 20, 1, 1000, func(l *Limits) *int { return &l.MessageLines },
			"refused whole, with both sizes named"),
		whole("backlog_lines", 20, 0, 1000, func(l *Limits) *int { return &l.BacklogLines },
			"older ones are not shown on entering over SSH"),
		whole("paste_bytes", 64<<10, 64, 16<<20, func(l *Limits) *int { return &l.PasteBytes },
			"the whole paste or line is refused, the draft stays as it was"),
		whole("escape_bytes", 64, 16, 4<<10, func(l *Limits) *int { return &l.EscapeBytes },
			"the control sequence is dropped"),
		whole("combining_marks", 4, 1, 64, func(l *Limits) *int { return &l.CombiningMarks },
			"further marks on one letter are not drawn"),

		exempted(whole("message_burst", 8, 1, 1_000_000, func(l *Limits) *int { return &l.MessageBurst },
			"messages go out at messages_per_second")),
		exempted(whole("messages_per_second", 2, 1, 1_000_000, func(l *Limits) *int { return &l.MessagesPerSecond },
			"a message waits for up to message_delay; a pipe (-T) waits for as long as it takes")),
		exempted(span("message_delay", 5*time.Second, 0, time.Hour, func(l *Limits) *time.Duration { return &l.MessageDelay },
			"refused with a notice")),
		exempted(whole("refusals_per_10s", 40, 1, 1_000_000, func(l *Limits) *int { return &l.RefusalsPer10s },
			"session ends, told why")),
		exempted(whole("nick_changes_per_minute", 5, 1, 1_000_000, func(l *Limits) *int { return &l.NickChangesPerMinute },
			"refused with a notice")),
		exempted(whole("joins_per_minute", 30, 1, 1_000_000, func(l *Limits) *int { return &l.JoinsPerMinute },
			"a further /join of a room is refused with a notice; entering the house is none")),
		exempted(whole("new_people_per_minute", 10, 1, 1_000_000, func(l *Limits) *int { return &l.NewPeoplePerMinute },
			"a first direct message to somebody is refused with a notice")),
		whole("room_ring_lines", 1024, 1, 1<<20, func(l *Limits) *int { return &l.RoomRingLines },
			"a reader that is further behind is told how many lines it missed"),
		whole("output_buffer_bytes", 64<<10, 4<<10, 16<<20, func(l *Limits) *int { return &l.OutputBufferBytes },
			"nothing more is drawn for a session until its client has taken that"),
		whole("outbox_lines", 64, 1, 1<<16, func(l *Limits) *int { return &l.OutboxLines },
			"lines of one session that are not saved yet: refused aloud; a pipe (-T) is read more slowly"),
		span("outbox_wait", time.Minute, 100*time.Millisecond, time.Hour, func(l *Limits) *time.Duration { return &l.OutboxWait },
			"a line that could not be saved for so long returns to its author"),
		whole("commit_batch_lines", 256, 1, 1<<16, func(l *Limits) *int { return &l.CommitBatchLines },
			"further lines are saved in the next batch"),
		whole("disk_reserve_bytes", 32<<20, 0, 1<<40, func(l *Limits) *int { return &l.DiskReserveBytes },
			`with less free space than this, posting answers "not saved"; reading and leaving go on`),

		whole("rooms_total", 10_000, 1, 1_000_000, func(l *Limits) *int { return &l.RoomsTotal },
			"no further room can be made, until one disappears; the last tenth is for people with accounts"),
		exempted(whole("rooms_per_person", 20, 1, 10_000, func(l *Limits) *int { return &l.RoomsPerPerson },
			"who is in so many rooms leaves one before joining another")),
		span("room_keep", 24*time.Hour, time.Second, 365*24*time.Hour, func(l *Limits) *time.Duration { return &l.RoomKeep },
			"a room that nobody owns and that was empty for so long disappears, and all that was said in it is erased; one in which nothing was said disappears at once; there is no \"never\", which would fill rooms_total"),

		span("write_stall", 2*time.Minute, time.Second, 24*time.Hour, func(l *Limits) *time.Duration { return &l.WriteStall },
			"a peer that acknowledged nothing, or answered no keepalive, for so long is gone: session ends, the room is told"),
		span("keepalive_interval", 30*time.Second, 100*time.Millisecond, time.Hour, func(l *Limits) *time.Duration { return &l.KeepaliveInterval },
			"silence after which an SSH client is asked whether it is there"),
		span("tcp_keepalive", time.Minute, time.Second, 2*time.Hour, func(l *Limits) *time.Duration { return &l.TCPKeepalive },
			"the same on the TCP door, asked by the kernel"),
		span("idle_timeout", 0, 0, 30*24*time.Hour, func(l *Limits) *time.Duration { return &l.IdleTimeout },
			`told, session ends; "0s" is never`),
		span("shutdown_timeout", 5*time.Second, 100*time.Millisecond, 10*time.Minute, func(l *Limits) *time.Duration { return &l.ShutdownTimeout },
			"what is left of the sessions is closed"),
		whole("memory_shed_percent", 85, 10, 100, func(l *Limits) *int { return &l.MemoryShedPercent },
			"no new connections, until less of the memory limit is in use"),
		whole("fd_reserve", 64, 16, 1<<16, func(l *Limits) *int { return &l.FDReserve },
			"files that connections may not use up: accepting waits"),
		whole("logged_bytes", 64, 8, 4<<10, func(l *Limits) *int { return &l.LoggedBytes },
			"what a client sent is quoted and cut in the log"),
		whole("log_lines_per_second_per_address", 1, 1, 10_000, func(l *Limits) *int { return &l.LogLinesPerSecondPerAddress },
			"further lines about connections of one address that were refused, or never had a session, are dropped and counted"),
	}
}

// check finds limits that are fine each by itself but not together.
func (l Limits) check() error {
	pairs := []struct {
		low, high   string
		wrongly     bool
		least, most any
	}{
		{"columns_min", "columns_max", l.ColumnsMin > l.ColumnsMax, l.ColumnsMin, l.ColumnsMax},
		{"rows_min", "rows_max", l.RowsMin > l.RowsMax, l.RowsMin, l.RowsMax},
		{"unauthenticated_start", "unauthenticated_full", l.UnauthenticatedStart > l.UnauthenticatedFull, l.UnauthenticatedStart, l.UnauthenticatedFull},
		{"penalty_threshold", "penalty_max", l.PenaltyThreshold > l.PenaltyMax, short(l.PenaltyThreshold), short(l.PenaltyMax)},
		{"message_bytes", "paste_bytes", l.MessageBytes > l.PasteBytes, l.MessageBytes, l.PasteBytes},
	}
	for _, p := range pairs {
		if p.wrongly {
			return fmt.Errorf("limits.%s (%v) is more than limits.%s (%v): lower the first or raise the second", p.low, p.least, p.high, p.most)
		}
	}
	return nil
}

// FitFiles makes the connections of all doors fit into the hard limit of open files: doors times ConnectionsTotal, and
// FDReserve for all else. A total that nobody chose lowers itself, with a warning; one that was chosen is an error. Both
// are sentences for the operator.
func (l Limits) FitFiles(hard uint64, doors int) (fit Limits, warning string, err error) {
	each, reserve := uint64(doors), uint64(l.FDReserve)
	needed := each*uint64(l.ConnectionsTotal) + reserve
	if needed <= hard {
		return l, "", nil
	}
	var room uint64 // connections that each door can have
	if hard > reserve && each > 0 {
		room = (hard - reserve) / each
	}
	whose := "the only door"
	if doors > 1 {
		whose = fmt.Sprintf("each of %d doors", doors)
	}
	switch {
	case room == 0:
		return l, "", fmt.Errorf("only %d files may be open, which leaves no connection for %s: raise the hard limit (ulimit -Hn)", hard, whose)
	case !l.totalIsDefault:
		return l, "", fmt.Errorf("limits.connections_total (%d) on %s and limits.fd_reserve (%d) need %d open files, but only %d are allowed: lower it to %d, or raise the hard limit (ulimit -Hn)",
			l.ConnectionsTotal, whose, l.FDReserve, needed, hard, room)
	}
	warning = fmt.Sprintf("only %d files may be open, so %s takes %d connections instead of %d", hard, whose, room, l.ConnectionsTotal)
	l.ConnectionsTotal = int(room)
	return l, warning, nil
}
