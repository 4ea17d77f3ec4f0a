package memjournal

// Tails returns how many tails the journal wakes.
func (j *Journal) Tails() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.tails)
}
