package main

import (
	"log/slog"
	"runtime"

	"sarangbang/internal/admission"
	"sarangbang/internal/config"
	"sarangbang/internal/identity"
	"sarangbang/internal/metrics"
	"sarangbang/internal/moderation"
	"sarangbang/internal/session"
	"sarangbang/internal/sqlitestore"
	"sarangbang/internal/terminal"
	"sarangbang/room"
	"sarangbang/sshchat"
)

// This file hands each of the operator's limits to the part that holds it. The parts know no configuration.

func gateLimits(l config.Limits) admission.Limits {
	return admission.Limits{
		Exempt: l.Exempt, Total: l.ConnectionsTotal, PerAddress: l.ConnectionsPerAddress,
		ConnectsPerMinute: l.ConnectsPerMinutePerAddress, ConnectBurst: l.ConnectsBurstPerAddress,
		UnauthenticatedStart: l.UnauthenticatedStart, UnauthenticatedPercent: l.UnauthenticatedPercent,
		UnauthenticatedFull: l.UnauthenticatedFull, UnauthenticatedPerAddress: l.UnauthenticatedPerAddress,
		Penalties: admission.Penalties{
			AuthFailure: l.PenaltyAuthFailure, NoAuth: l.PenaltyNoAuth, LoginTimeout: l.PenaltyLoginTimeout,
			Refused: l.PenaltyRefused, Crash: l.PenaltyCrash,
			Threshold: l.PenaltyThreshold, Max: l.PenaltyMax, Addresses: l.PenaltyAddresses,
		},
		LogLinesPerSecond: l.LogLinesPerSecondPerAddress, MemoryShedPercent: l.MemoryShedPercent,
	}
}

// tcpGateLimits differ in who counts as not known yet: people who have not given a nickname, of whom the newest is refused
// without a draw.
func tcpGateLimits(l config.Limits) admission.Limits {
	g := gateLimits(l)
	g.UnauthenticatedStart, g.UnauthenticatedFull = l.TCPWaitingForNick, l.TCPWaitingForNick
	g.UnauthenticatedPerAddress = l.ConnectionsPerAddress
	return g
}

func sshLimits(l config.Limits) sshchat.Limits {
	return sshchat.Limits{
		FDReserve: l.FDReserve, HandshakesPerCore: l.HandshakesPerCore, HandshakeWait: l.HandshakeWait,
		VersionTimeout: l.VersionTimeout, LoginTimeout: l.LoginTimeout, AuthTries: l.AuthTries,
		InputBurstBytes: l.InputBurstBytes, InputBytesPerSecond: l.InputBytesPerSecond,
		SessionsPerConnection: l.SessionsPerConnection, SessionOpensPerMinute: l.SessionOpensPerMinute,
		RefusedChannels: l.RefusedChannels, SessionsPerKey: l.SessionsPerKey, SessionsPerAddress: l.SessionsPerAddress,
		RequestsPerSecond: l.RequestsPerSecond, EnvVars: l.EnvVars, EnvBytes: l.EnvBytes,
		TermNameBytes: l.TermNameBytes, CommandBytes: l.CommandBytes,
		Terminal: terminal.Limits{
			PasteBytes: l.PasteBytes, EscapeBytes: l.EscapeBytes, OutputBytes: l.OutputBufferBytes,
			ColumnsMin: l.ColumnsMin, ColumnsMax: l.ColumnsMax, RowsMin: l.RowsMin, RowsMax: l.RowsMax,
			RedrawsPerSecond: l.RedrawsPerSecond,
		},
		WriteStall: l.WriteStall, KeepaliveInterval: l.KeepaliveInterval, LoggedBytes: l.LoggedBytes,
	}
}

func sessionLimits(l config.Limits) session.Limits {
	return session.Limits{
		Message:      room.TextLimits{Bytes: l.MessageBytes, Lines: l.MessageLines},
		BacklogLines: l.BacklogLines, OutboxLines: l.OutboxLines, RefusalsPer10s: l.RefusalsPer10s,
		NickTimeout: l.NickTimeout, NickHold: l.NickHold, IdleTimeout: l.IdleTimeout,
		RoomsTotal: l.RoomsTotal, RoomsPerPerson: l.RoomsPerPerson,
	}
}

func rateLimits(l config.Limits) moderation.Limits {
	return moderation.Limits{
		MessageBurst: l.MessageBurst, MessagesPerSecond: l.MessagesPerSecond, MessageDelay: l.MessageDelay,
		NickChangesPerMinute: l.NickChangesPerMinute, JoinsPerMinute: l.JoinsPerMinute, NewPeoplePerMinute: l.NewPeoplePerMinute,
	}
}

func nickRules(l config.Limits) identity.Rules {
	r := identity.DefaultRules()
	r.MaxBytes, r.MaxGraphemes, r.MaxCells = l.NickBytes, l.NickGraphemes, l.NickCells
	return r
}

func storeOptions(l config.Limits, keep config.History, log *slog.Logger) sqlitestore.Options {
	return sqlitestore.Options{
		BatchLines: l.CommitBatchLines, DiskReserve: uint64(l.DiskReserveBytes), Keep: keepOf(keep), Logger: log,
	}
}

func keepOf(h config.History) sqlitestore.Keep {
	return sqlitestore.Keep{Days: h.KeepDays, Lines: h.KeepLines}
}

func roomOptions(l config.Limits, log *slog.Logger) room.Options {
	return room.Options{RingLines: l.RoomRingLines, CommitWait: l.OutboxWait, ResumeWindow: l.ResumeWindow, RoomKeep: l.RoomKeep, Logger: log}
}

// stats gathers the figures of all parts for whoever watches the house.
func (h *house) stats() metrics.Stats {
	in, people := h.room.Stats(), h.service.Stats()
	s := metrics.Stats{
		Doors: map[string]metrics.Door{}, Rooms: in.Rooms, Bars: in.Bars, Lines: in.Lines, Voided: map[string]uint64{}, Refused: people.Refused,
		Commit: histogram(in.Commit), Delivery: histogram(people.Delivery), Gaps: people.Gaps, Missed: people.Missed,
	}
	for why, n := range in.Voided {
		s.Voided[string(why)] = n
	}
	if state := h.room.State(); !state.Connected {
		s.JournalDegraded = state.Reason
	}
	door := func(name string, gate *admission.Gate, panics uint64, refused map[string]uint64) {
		g := gate.Stats()
		d := metrics.Door{
			People: people.People[name], Screens: people.Screens[name], Connections: g.Open,
			Unauthenticated: g.Unauthenticated, Admitted: g.Admitted, Refused: refused, Unlogged: g.Unlogged,
			Panics: panics + people.Panics[name],
		}
		for why, n := range g.Refused {
			d.Refused[string(why)] += n
		}
		s.Doors[name] = d
	}
	ssh := h.ssh.Stats()
	ssh.Refused["abandoned"] = ssh.Abandoned
	door("ssh", h.sshGate, ssh.Panics, ssh.Refused)
	if h.tcp != nil {
		tcp := h.tcp.Stats()
		door("tcp", h.tcpGate, tcp.Panics, map[string]uint64{"stranger": tcp.Strangers, "stalled": tcp.Stalled})
	}
	return s
}

func histogram(l room.Latencies) metrics.Histogram {
	return metrics.Histogram{Bounds: room.LatencyBounds[:], Counts: l.Buckets[:], Sum: l.Sum}
}

// version of the program, as `sarangbang version` prints it.
const version = "0.1.0"

func versionLine() string {
	return "sarangbang " + version + " (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
}
