// Package command is the table of slash commands, and how a line becomes a call of one. Help, the hint for a mistyped name, what
// a session without a terminal can run, and docs/COMMANDS.md all come from the table; a new command is one file and one row.
//
// A command either speaks, which makes a body that goes the way of every line, or runs and answers. It draws nothing and knows
// no door. The package starts no goroutine and keeps no state.
package command
