// Package i18n holds every sentence that the program says to people, in every language it speaks: English and Korean, both
// complete. Code names sentences by [Key] and never holds one.
//
// It owns the catalogs (embedded JSON, one file a language), the choice of a language from a client's locale, and the filling
// in of arguments. It does not clean what it fills in: the caller makes a room.Text of the result. It starts no goroutine.
package i18n
