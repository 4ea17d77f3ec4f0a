package sqlitestore

import (
	"context"
	"database/sql"
	"time"

	"sarangbang/room"
)

// readSnapshot reads what the rules have to know.
func readSnapshot(ctx context.Context, conn *sql.Conn) (s room.Snapshot, err error) {
	byID := map[room.PersonID]*room.Account{}
	err = each(ctx, conn, `SELECT person, nick, since FROM accounts ORDER BY since, person`, func(scan func(...any) error) error {
		var a room.Account
		var since int64
		err := scan(&a.ID, &a.Nick, &since)
		a.Since = time.Unix(0, since)
		s.Accounts = append(s.Accounts, a)
		return err
	})
	if err != nil {
		return s, err
	}
	for i := range s.Accounts {
		byID[s.Accounts[i].ID] = &s.Accounts[i]
	}
	for _, part := range []struct {
		query string
		put   func(a *room.Account, name, value string)
	}{
		{`SELECT person, name, '' FROM account_names ORDER BY person, place`, func(a *room.Account, name, _ string) {
			a.Names = append(a.Names, name)
		}},
		{`SELECT person, key, '' FROM account_keys ORDER BY person, place`, func(a *room.Account, key, _ string) {
			a.Keys = append(a.Keys, key)
		}},
		{`SELECT person, name, value FROM settings`, func(a *room.Account, name, value string) {
			if a.Settings == nil {
				a.Settings = map[string]string{}
			}
			a.Settings[name] = value
		}},
	} {
		err := each(ctx, conn, part.query, func(scan func(...any) error) error {
			var id room.PersonID
			var name, value string
			if err := scan(&id, &name, &value); err != nil {
				return err
			}
			if a := byID[id]; a != nil {
				part.put(a, name, value)
			}
			return nil
		})
		if err != nil {
			return s, err
		}
	}
	return s, each(ctx, conn, `SELECT name, until FROM held`, func(scan func(...any) error) error {
		var h room.Holding
		var until int64
		err := scan(&h.Name, &until)
		h.Until = time.Unix(0, until)
		s.Held = append(s.Held, h)
		return err
	})
}

// each calls do for every row of a query.
func each(ctx context.Context, conn *sql.Conn, query string, do func(scan func(...any) error) error, args ...any) error {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // read to the end, or failed already
	for rows.Next() {
		if err := do(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
