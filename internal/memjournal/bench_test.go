package memjournal_test

import (
	"context"
	"testing"

	"sarangbang/internal/memjournal"
	"sarangbang/room"
)

// A commit must cost little beside rendering and encrypting one line, also when the journal is full and forgets.
func BenchmarkAppend(b *testing.B) {
	ctx := context.Background()
	for _, bench := range []struct {
		name string
		keep int
	}{{"keep=64", 64}, {"keep=65536", 65536}} {
		b.Run(bench.name, func(b *testing.B) {
			j := memjournal.New(memjournal.Options{Keep: bench.keep})
			data := []byte(`{"from":{"id":"conn:1","nick":"kim"},"text":"hello there"}`)
			for range bench.keep {
				_, _ = j.Append(ctx, room.Record{ID: room.NewID(), Subject: room.Lobby, Kind: "said", Data: data})
			}
			r := room.Record{Subject: room.Lobby, Kind: "said", Data: data}
			b.ReportAllocs()
			for b.Loop() {
				for i := 0; ; i++ { // the next ID without the price of a random one
					r.ID[i]++
					if r.ID[i] != 0 {
						break
					}
				}
				if _, err := j.Append(ctx, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
