package sqlitestore

import "sarangbang/room"

// fleeting are the places of the newest ephemeral records, so that one that comes again is recognised: they are in no database.
type fleeting struct {
	places map[room.ID]room.Seq
	ids    []room.ID // a ring: the ID of the n-th is in ids[n%len]
	n      int
}

// keepFleeting is how many ephemeral records are recognised. One that comes again after that is committed anew.
const keepFleeting = 1 << 14

func newFleeting() fleeting { return fleeting{places: map[room.ID]room.Seq{}} }

func (f *fleeting) note(c room.Committed) {
	if len(f.ids) < keepFleeting {
		f.ids = append(f.ids, c.Record.ID)
	} else {
		delete(f.places, f.ids[f.n%keepFleeting])
		f.ids[f.n%keepFleeting] = c.Record.ID
	}
	f.n++
	f.places[c.Record.ID] = c.Seq
}

// forget takes back what was noted of a request that failed.
func (f *fleeting) forget(r *request) {
	for i := range r.entries {
		if e := &r.entries[i]; e.fresh && e.c.Record.Ephemeral {
			delete(f.places, e.c.Record.ID)
		}
	}
}
