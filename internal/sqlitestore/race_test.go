//go:build race

package sqlitestore_test

// stride is the distance between the bytes at which the log is torn.
const stride = 61
