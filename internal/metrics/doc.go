// Package metrics tells operators how the house is: /metrics for Prometheus, /healthz for supervisors, and the runtime's
// profiles for whoever looks for what costs time.
//
// It owns the names of the metrics, the plain [Stats] that they are made from, and the HTTP server for both. Figures are
// read when somebody asks for them; nothing in the house knows that this package exists.
//
// It refuses to count anything itself, to keep a global registry, and to say what people said or who they are.
//
// It starts no goroutine of its own; net/http starts one for each connection, and [Server.Shutdown] ends them.
package metrics
