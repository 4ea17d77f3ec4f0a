package room

import (
	"context"
	"time"
)

// keptReports is how many acts may wait for the log. What comes beyond them is counted.
const keptReports = 256

// report puts what was done to a room, or to keep order, among what the operator is told of. It never waits for the log, whose disk may
// be slow: it is called where everybody's lines pass.
func (h *House) report(e *Event) {
	if act(e) == nil {
		return
	}
	select {
	case h.reports <- e:
	default:
		h.unreported.Add(1)
	}
}

// tellOperator logs the acts until ctx ends, and then those that wait.
func (h *House) tellOperator(ctx context.Context) {
	for {
		select {
		case e := <-h.reports:
			h.logAct(e)
		case <-ctx.Done():
			for {
				select {
				case e := <-h.reports:
					h.logAct(e)
				default:
					return
				}
			}
		}
	}
}

func (h *House) logAct(e *Event) {
	if n := h.unreported.Swap(0); n > 0 {
		h.opt.Logger.Warn("acts not logged, since there were too many at once", "acts", n)
	}
	h.opt.Logger.Info("act", append([]any{"by", string(e.From.Nick), "where", string(e.Subject)}, act(e)...)...)
}

// act says for the log what was done, without anything that somebody wrote; nil for what is no act.
func act(e *Event) []any {
	switch b := e.Body.(type) {
	case Opened:
		return []any{"did", "opened"}
	case Closed:
		return []any{"did", "closed"}
	case Arranged:
		return []any{"did", "arranged", "what", string(b.What), "on", b.Value != ""}
	case Invited:
		return []any{"did", "invited", "whom", string(b.Whom.Nick), "out", b.Out}
	case Ranked:
		return []any{"did", "ranked", "whom", string(b.Whom.Nick), "role", b.Role.String()}
	case Appointed:
		return []any{"did", "appointed", "keys", len(b.Keys)}
	case Kicked:
		return []any{"did", "kicked", "whom", string(b.Whom.Nick)}
	case Barred:
		until := "lifted"
		if !b.Bar.Until.IsZero() {
			until = b.Bar.Until.UTC().Format(time.RFC3339)
		}
		return []any{"did", barKind(&b.Bar), "whom", b.Bar.Label, "until", until, "hit", len(b.Out)}
	case Lifted:
		return []any{"did", "lifted", "whom", b.Label}
	case Undone:
		return []any{"did", "undone", "what", b.Kind, "hit", len(b.Out)}
	case Withdrawn:
		return []any{"did", "withdrawn", "lines", len(b.Lines)}
	case Announced:
		return []any{"did", "announced"}
	case Said, Emoted, Told, Joined, Parted, Renamed, Registered, KeyAdded, KeyRemoved, Configured, Erased, Removed, Absent, Notice, Unknown:
	}
	return nil
}
