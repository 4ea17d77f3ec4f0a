package room

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
)

// deafJournal takes nothing. This test is inside the package to see what a post leaves behind.
type deafJournal struct{ Journal }

func (deafJournal) Append(context.Context, ...Record) ([]Seq, error) { return nil, ErrUnavailable }

func TestPostThatGaveUpIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHouse(deafJournal{}, nil, Options{Logger: slog.New(slog.DiscardHandler)})
		_, err := h.post(t.Context(), Encode(Person{Nick: "kim"}, Lobby, Said{}), Encode(Person{Nick: "kim"}, Lobby, Said{}))
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("post = %v, want %v", err, ErrUnavailable)
		}
		if n := len(h.waiting); n != 0 {
			t.Errorf("%d records are still waited for, want none", n)
		}
	})
}
