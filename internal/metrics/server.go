package metrics

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// maxConnections is how many scrapers are served at a time; more wait in the kernel's queue. Without it, whoever reaches the
// port could take the descriptors that people need.
const maxConnections = 64

// A Server serves operators over HTTP, and gives nobody the means to hold it up.
type Server struct {
	http http.Server
}

// NewServer returns a server for h, which logs what net/http complains about.
func NewServer(h http.Handler, log *slog.Logger) *Server {
	return &Server{http: http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}
}

// Serve answers on ln, which it closes, until Shutdown is called; then it returns nil.
func (s *Server) Serve(ln net.Listener) error {
	err := s.http.Serve(&boundedListener{Listener: ln, places: make(chan struct{}, maxConnections)})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Shutdown stops accepting, lets requests that are being answered finish for at most a second or until ctx ends, and closes
// every connection.
func (s *Server) Shutdown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // reports what the listener's second closing says
	}
}

// A boundedListener accepts only while fewer than cap(places) of its connections are open.
type boundedListener struct {
	net.Listener
	places chan struct{}
}

func (l *boundedListener) Accept() (net.Conn, error) {
	l.places <- struct{}{} // at the latest, Shutdown makes one free
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &placedConn{Conn: conn, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

// A placedConn gives its place back when it is closed.
type placedConn struct {
	net.Conn
	leave func()
}

func (c *placedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
