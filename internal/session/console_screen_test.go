package session

import (
	"testing"
	"time"
)

func TestZonesOfClients(t *testing.T) {
	const hour = 60 * 60
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for tz, want := range map[string]int{
		"Asia/Seoul": 9 * hour, ":Asia/Seoul": 9 * hour, "UTC": 0, "EST5EDT": -5 * hour,
		"KST-9": 9 * hour, ":KST-9": 9 * hour, "EST5": -5 * hour, "EST+05": -5 * hour, "NST3:30": -3*hour - hour/2, "IST-5:30": 5*hour + hour/2,
		"XXX-24": 24 * hour, "XXX24:00": -24 * hour, "XXX0": 0,
	} {
		loc := zone(tz)
		if _, got := at.In(loc).Zone(); got != want || loc == time.Local {
			t.Errorf("zone(%q) = %v, %d s east; want %d, and not the server's", tz, loc, got, want)
		}
	}
	for _, tz := range []string{
		"", ":", "nowhere", "KST-9KDT", "EST5EDT,M3.2.0,M11.1.0/3", "KST-25", "XXX24:01", "KST-9:60", "KST-9:3", "KS-9", "KST--9", "KST-999", "KST-9 ", "\x1bST-9", "../../etc/passwd",
	} {
		if got := zone(tz); got != time.Local {
			t.Errorf("zone(%q) = %v, want the server's", tz, got)
		}
	}
}
