// Command docgen writes the pages of docs/ that are made from tables in the code: COMMANDS.md from internal/command and CONFIG.md
// from internal/config. It is run by go generate in its own folder.
package main

//go:generate go run .
