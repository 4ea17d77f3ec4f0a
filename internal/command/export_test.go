package command

// CutNick is cutNick for the tests.
var CutNick = cutNick
