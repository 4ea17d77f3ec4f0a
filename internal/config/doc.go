// Package config owns the settings of the house: what each is called as a flag, as an environment variable and as a key
// of the TOML file, its default, what it may be, what it means, and whether a change of it reaches a running house. All of
// that stands in one table, from which the parser, the help text, the reference page and the account of a reload are made,
// so that they cannot disagree.
//
// Nothing leaves this package unchecked: whoever holds Settings need not look whether a number makes sense. It reads the
// one file that it is told to, changes nothing, keeps nothing between two calls of Load, and starts no goroutines.
package config
