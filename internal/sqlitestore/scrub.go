package sqlitestore

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
)

// This file overwrites what stands in a database where nothing is kept. SQLite zeroes what it frees, but where it splits a page or
// merges two, it leaves the old cells in the gap before the new ones, whatever secure_delete says; and what it merges away of the
// search index without secure_delete stays on pages that are free. Nothing that erases later reaches such copies.

// pageSource reads a page into buf, and writes one.
type pageSource interface {
	read(ctx context.Context, page int, buf []byte) error
	write(ctx context.Context, page int, data []byte) error
}

// mostScrubbed is how many pages a database may have to be scrubbed: with more, a page of overflowing data may begin with the byte that
// marks a page of a tree. It is 128 GiB.
const mostScrubbed = 1 << 25

// blot zeroes what a page of a tree holds where nothing is kept: between the pointers and the cells, and in the free blocks (fileformat2,
// section 1.6). It says whether there was anything. Other pages, and damaged ones, it leaves alone.
func blot(page []byte, first bool) (found bool) {
	head := page
	if first {
		head = page[headerSize:]
	}
	pointers := len(page) - len(head) + 8
	switch head[0] {
	case 2, 5:
		pointers += 4
	case 10, 13:
	default:
		return false
	}
	number := func(b []byte) int { return int(binary.BigEndian.Uint16(b)) }
	begin, end := pointers+2*number(head[3:]), number(head[5:])
	if end == 0 {
		end = 1 << 16
	}
	if begin > end || end > len(page) {
		return false
	}
	found = zero(page[begin:end])
	for block, last := number(head[1:]), 0; block > last && block+4 <= len(page); block = number(page[block:]) {
		last = block
		if size := number(page[block+2:]); size > 4 && block+size <= len(page) {
			found = zero(page[block+4:block+size]) || found
		}
	}
	return found
}

// zero says whether there was anything to overwrite.
func zero(b []byte) (found bool) {
	for _, c := range b {
		if c != 0 {
			clear(b)
			return true
		}
	}
	return false
}

// scrub overwrites from one page to before another what is not kept there. Pages that are free are overwritten altogether.
func scrub(ctx context.Context, pages pageSource, buf []byte, from, before int, free map[int]bool) error {
	for page := from; page < before; page++ {
		if err := pages.read(ctx, page, buf); err != nil {
			return err
		}
		found := false
		if free[page] {
			found = zero(buf)
		} else {
			found = blot(buf, page == 1)
		}
		if found {
			if err := pages.write(ctx, page, buf); err != nil {
				return err
			}
		}
	}
	return nil
}

// freePages returns the pages that hold nothing (fileformat2, section 1.5), but for those that list them.
func freePages(ctx context.Context, pages pageSource, buf []byte) (map[int]bool, error) {
	free := map[int]bool{}
	if err := pages.read(ctx, 1, buf); err != nil {
		return nil, err
	}
	number := func(b []byte) int { return int(binary.BigEndian.Uint32(b)) }
	seen := map[int]bool{}
	for trunk := number(buf[32:]); trunk != 0 && !seen[trunk]; trunk = number(buf) {
		seen[trunk] = true
		if err := pages.read(ctx, trunk, buf); err != nil {
			return nil, err
		}
		for i := range min(number(buf[4:]), len(buf)/4-2) {
			free[number(buf[8+4*i:])] = true
		}
	}
	return free, nil
}

// pageFile are the pages of a database that nobody has open.
type pageFile struct{ *os.File }

func (f pageFile) read(_ context.Context, page int, buf []byte) error {
	_, err := f.ReadAt(buf, int64(page-1)*int64(len(buf)))
	return err
}

func (f pageFile) write(_ context.Context, page int, data []byte) error {
	_, err := f.WriteAt(data, int64(page-1)*int64(len(data)))
	return err
}

// scrubFile scrubs a database that was just made and that nobody has open.
func scrubFile(ctx context.Context, path string) (err error) {
	header, err := readHeader(path)
	if err != nil || len(header) < headerSize {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // beside the operator's own database
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	buf := make([]byte, sizeOfPages(header))
	count := int(info.Size()) / len(buf)
	if count >= mostScrubbed {
		return nil
	}
	free, err := freePages(ctx, pageFile{f}, buf)
	if err != nil {
		return err
	}
	return scrub(ctx, pageFile{f}, buf, 1, count+1, free)
}

// The writer scrubs its own database bit by bit while nobody waits, after an account was forgotten and after the search index was made
// compact.

// residue is in meta while pages are to be scrubbed: the next of them.
const residue = "residue"

// scrubPages is how many pages are looked at in one transaction: whoever says something meanwhile waits for it.
const scrubPages = 256

// beginScrubbing has the writer look at all pages.
func (w *writer) beginScrubbing(ctx context.Context) error {
	w.trimmer.scrubbing = true
	return w.do(ctx, `INSERT INTO meta VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, residue)
}

// scrubSome scrubs some more pages.
func (w *writer) scrubSome(ctx context.Context) error {
	t := &w.trimmer
	next, count, size := 0, 0, 0
	err := w.conn.QueryRowContext(ctx, `SELECT coalesce((SELECT value FROM meta WHERE name = ?), 0), page_count, page_size
		FROM pragma_page_count, pragma_page_size`, residue).Scan(&next, &count, &size)
	if err != nil {
		return err
	}
	if next == 0 || next > count || count >= mostScrubbed {
		t.scrubbing = false
		if next == 0 {
			return nil
		}
		if err := w.do(ctx, `DELETE FROM meta WHERE name = ?`, residue); err != nil {
			return err
		}
		return w.settle(ctx)
	}
	return inTransaction(ctx, w.conn, func() error {
		buf := make([]byte, size)
		free, err := freePages(ctx, w, buf) // it is another list each time
		if err != nil {
			return err
		}
		before := min(next+scrubPages, count+1)
		if err := scrub(ctx, w, buf, next, before, free); err != nil {
			return err
		}
		return w.do(ctx, `UPDATE meta SET value = ? WHERE name = ?`, before, residue)
	})
}

func (w *writer) read(ctx context.Context, page int, buf []byte) error {
	var data []byte
	err := w.conn.QueryRowContext(ctx, `SELECT data FROM sqlite_dbpage WHERE pgno = ?`, page).Scan(&data)
	copy(buf, data)
	return err
}

func (w *writer) write(ctx context.Context, page int, data []byte) error {
	return w.do(ctx, `UPDATE sqlite_dbpage SET data = ? WHERE pgno = ?`, data, page)
}
