// Command docgen writes the pages of docs/ that are made from tables in the code: COMMANDS.md from internal/command,
// CONFIG.md from internal/config, and TERMINAL.md from terminal.md here and the key map of internal/terminal. It is run by go generate in its own folder.
package main

//go:generate go run .
